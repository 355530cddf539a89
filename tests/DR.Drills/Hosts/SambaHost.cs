using System.Diagnostics;

namespace DR.Drills.Hosts;

/// <summary>smbd, with one share of one folder, for one user (root, with a password of its own here) and, if asked, for guests.</summary>
internal sealed class SambaHost : HostProcess
{
    public const string User = "root";

    public SambaHost(string served, string password, bool guests = false, bool writable = false)
    {
        foreach (string name in (string[])["private", "lock", "state", "cache", "pid", "ncalrpc"])
        {
            Directory.CreateDirectory(PathOf(name));
        }

        // In a session of its own: when it ends it ends its whole process group.
        Start("/usr/bin/setsid", port =>
        {
            File.WriteAllText(PathOf("smb.conf"), Configuration(served, port, guests, writable));
            SetPassword(password);
            return ["/usr/sbin/smbd", "--foreground", "--no-process-group", "--configfile", PathOf("smb.conf"), "--debug-stdout"];
        });
    }

    /// <summary>A location for dr.</summary>
    public string LocationOf(string path, string host = "127.0.0.1") => $"smb://{host}:{Port}/backup/{path}";

    private string Configuration(string served, int port, bool guests, bool writable) => $"""
        [global]
        server role = standalone server
        smb ports = {port}
        disable netbios = yes
        load printers = no
        private dir = {PathOf("private")}
        lock directory = {PathOf("lock")}
        state directory = {PathOf("state")}
        cache directory = {PathOf("cache")}
        pid directory = {PathOf("pid")}
        ncalrpc dir = {PathOf("ncalrpc")}
        passdb backend = tdbsam:{PathOf("passdb.tdb")}
        map to guest = {(guests ? "Bad User" : "Never")}
        guest account = root
        [backup]
        path = {served}
        read only = {(writable ? "no" : "yes")}
        guest ok = {(guests ? "yes" : "no")}
        """;

    private void SetPassword(string password)
    {
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/smbpasswd", ["-c", PathOf("smb.conf"), "-a", "-s", User])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.StandardInput.Write($"{password}\n{password}\n");
        process.StandardInput.Close();
        string words = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException("smbpasswd: " + words);
        }
    }
}
