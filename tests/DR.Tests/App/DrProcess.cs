using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace DR.Tests.App;

/// <summary>The real program as a process of its own.</summary>
internal sealed class DrProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _error = new();
    private readonly Task<string> _output;

    private DrProcess(string? path, string[] arguments, string? folder)
    {
        // A shell's background jobs hand on an ignored SIGINT.
        var start = new ProcessStartInfo("env", ["--default-signal=INT,TERM", Path.Combine(AppContext.BaseDirectory, "dr"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        };
        if (path is not null)
        {
            start.Environment["PATH"] = path + ":" + Environment.GetEnvironmentVariable("PATH");
        }

        _process = Process.Start(start)!;
        _process.StandardInput.Close();
        _process.ErrorDataReceived += (_, e) =>
        {
            lock (_error)
            {
                _error.Append(e.Data).Append(e.Data is null ? "" : "\n");
            }
        };
        _process.BeginErrorReadLine();
        _output = _process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
    }

    public string Error
    {
        get
        {
            lock (_error)
            {
                return _error.ToString();
            }
        }
    }

    /// <param name="path">Folder in which tools are looked for first.</param>
    public static DrProcess Start(string path, params string[] arguments) => new(path, arguments, null);

    public static DrResult Run(params string[] arguments) => RunIn(null, arguments);

    /// <param name="folder">Where relative paths start.</param>
    public static DrResult RunIn(string? folder, params string[] arguments)
    {
        using var process = new DrProcess(null, arguments, folder);
        return process.Wait();
    }

    public void Signal(string name) => Doubles.Tools.Run("sh", "-c", $"kill -{name} {_process.Id}");

    public DrResult Wait()
    {
        Assert.True(_process.WaitForExit(Patience), "dr did not end; so far: " + Error);
        _process.WaitForExit();
        return new DrResult(_process.ExitCode, _output.Result, Error);
    }

    /// <summary>Waits until something has happened while the program still runs.</summary>
    public void Until(Func<bool> happened, string what)
    {
        for (long start = Environment.TickCount64; !happened(); Thread.Sleep(20))
        {
            Assert.False(_process.HasExited, $"dr ended before {what}: {Error}");
            Assert.True(Environment.TickCount64 - start < Patience.TotalMilliseconds, $"{what} did not happen: {Error}");
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }
}

/// <param name="Code">Exit code.</param>
internal sealed record DrResult(int Code, string Output, string Error)
{
    /// <summary>The one JSON document on standard output.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public DrResult Is(int code)
    {
        Assert.True(Code == code, $"exit code {Code} instead of {code}\n{Output}\n{Error}");
        return this;
    }

    /// <summary>That standard error says all of this.</summary>
    public DrResult Says(params string[] words)
    {
        Assert.All(words, w => Assert.Contains(w, Error, StringComparison.Ordinal));
        return this;
    }
}
