using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace DR.Drills.Machines;

/// <summary>A running machine. Disposing of it pulls the plug.</summary>
internal sealed class Qemu : IDisposable
{
    /// <summary>Emulated machines share few cores with much else: slow is not broken.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(12);

    /// <summary>A system that has said this will not come up.</summary>
    private const string Hopeless = @"Kernel panic|You are in emergency mode|ALERT! .* does not exist|grub rescue>|No bootable device";

    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly string _qmpSocket;

    /// <param name="folder">Existing; takes NVRAM, logs and sockets. One folder may serve one machine after the other, keeping its NVRAM.</param>
    public Qemu(Machine machine, string folder)
    {
        string nvram = Path.Combine(folder, "nvram.fd");
        if (!File.Exists(nvram) && QemuArguments.BlankNvram(machine.Firmware) is { } blank)
        {
            File.WriteAllBytes(nvram, blank);
        }

        string serial = Path.Combine(folder, "serial.log");
        _qmpSocket = Path.Combine(folder, "qmp");
        File.Delete(serial);
        File.Delete(_qmpSocket);
        Serial = new SerialLog(serial);
        _process = Process.Start(new ProcessStartInfo("qemu-system-x86_64", QemuArguments.For(machine, nvram, serial, _qmpSocket))
        {
            RedirectStandardError = true,
            Environment = { ["TMPDIR"] = folder },    // what throw-away disks write
        })!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public SerialLog Serial { get; }

    /// <summary>Waits for text on the serial port; fails at once when the machine stops or says that it cannot boot.</summary>
    public Match WaitFor(string pattern, string never = Hopeless)
    {
        try
        {
            return Serial.WaitFor(pattern, never, Patience, () => _process.HasExited);
        }
        catch (InvalidOperationException e) when (_process.HasExited)
        {
            throw new InvalidOperationException($"QEMU ended with {_process.ExitCode}: {_errors.Result}\n{e.Message}", e);
        }
    }

    /// <summary>Waits until the machine has switched itself off.</summary>
    public void WaitForPowerOff()
    {
        if (!_process.WaitForExit(Patience))
        {
            throw new InvalidOperationException($"The machine is still running after {Patience}. It ended with:\n{Serial.Tail()}");
        }
    }

    /// <summary>What its screen shows, as a PNG file.</summary>
    public void Screenshot(string file)
    {
        using var qmp = new QmpClient(_qmpSocket);
        qmp.Execute("screendump", new JsonObject { ["filename"] = file, ["format"] = "png" });
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
