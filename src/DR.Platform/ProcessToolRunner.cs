using System.Diagnostics;
using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Platform;

/// <summary>Runs tools as child processes: no shell, no input, plain C locale.</summary>
public sealed class ProcessToolRunner : IToolRunner
{
    /// <summary>Where Debian keeps its tools, some of which an ordinary user's PATH leaves out.</summary>
    private static readonly string[] SystemFolders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// <summary>For the children of a tool that was stopped: one that a signal finds in the kernel ends with its call.</summary>
    private static readonly TimeSpan ChildrenPatience = TimeSpan.FromSeconds(10);

    public bool Has(string tool) => Locate(tool) is not null;

    /// <summary>
    /// The caller judges <see cref="ToolResult.ExitCode"/>; a tool killed by signal N has 128 + N. When cancelled, the
    /// tool and its children are killed, their end is awaited, and <see cref="OperationCanceledException"/> is thrown; what they
    /// had asked the kernel for may have been done all the same.
    /// </summary>
    public ToolResult Run(string tool, IReadOnlyList<string> arguments, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        using var process = Start(tool, arguments);
        var output = new PipeTail(process.StandardOutput.BaseStream);
        var error = new PipeTail(process.StandardError.BaseStream);
        process.StandardInput.Close();
        using (cancel.UnsafeRegister(_ => Kill(process), null))
        {
            process.WaitForExit();
        }

        if (cancel.IsCancellationRequested)
        {
            output.AwaitEnd(ChildrenPatience);
            throw new OperationCanceledException(cancel);
        }

        return new ToolResult(process.ExitCode, output.TextAfterExit(), error.TextAfterExit());
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended in the meantime.
        }
    }

    private static string? Locate(string tool)
    {
        if (tool.Contains('/', StringComparison.Ordinal))
        {
            return File.Exists(tool) ? tool : null;
        }

        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return (OperatingSystem.IsWindows() ? folders : folders.Concat(SystemFolders))
            .Select(f => Path.Combine(f, OperatingSystem.IsWindows() && !Path.HasExtension(tool) ? tool + ".exe" : tool))
            .FirstOrDefault(File.Exists);
    }

    private static Process Start(string tool, IReadOnlyList<string> arguments)
    {
        string path = Locate(tool)
            ?? throw new DrException(Failure.Missing, $"the tool {tool} is needed and not installed");
        var start = new ProcessStartInfo(path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        start.Environment["LC_ALL"] = "C";
        try
        {
            return Process.Start(start) ?? throw new InvalidOperationException(path);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new DrException(Failure.Missing, $"the tool {path} cannot be started: {e.Message}", e);
        }
    }
}
