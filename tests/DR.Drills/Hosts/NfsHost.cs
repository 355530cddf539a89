namespace DR.Drills.Hosts;

/// <summary>nfs-ganesha, NFS 4 in user space, with one export of one folder, read-only or not. Needs root.</summary>
internal sealed class NfsHost : HostProcess
{
    public NfsHost(string served, bool writable = false)
    {
        Directory.CreateDirectory(PathOf("recovery"));
        Start("/usr/bin/ganesha.nfsd", port =>
        {
            File.WriteAllText(PathOf("ganesha.conf"), Configuration(served, port, writable));
            return ["-F", "-f", PathOf("ganesha.conf"), "-L", PathOf("ganesha.log"), "-p", PathOf("ganesha.pid")];
        });
    }

    /// <summary>A location for dr.</summary>
    public string LocationOf(string path, string host = "127.0.0.1") => $"nfs://{host}:{Port}/backup/{path}";

    private string Configuration(string served, int port, bool writable) => $$"""
        NFS_CORE_PARAM {
            NFS_Port = {{port}};
            NFS_Protocols = 4;
            Enable_NLM = false;
            Enable_RQUOTA = false;
            Enable_UDP = false;
        }
        NFSV4 { Graceless = true; RecoveryBackend = fs; RecoveryRoot = {{PathOf("recovery")}}; }
        EXPORT {
            Export_Id = 1;
            Path = {{served}};
            Pseudo = /backup;
            Access_Type = {{(writable ? "RW" : "RO")}};
            Squash = No_root_squash;
            SecType = sys;
            Protocols = 4;
            Transports = TCP;
            FSAL { Name = VFS; }
        }
        """;
}
