using DR.Drills.Hosts;
using DR.Drills.Machines;

namespace DR.Drills;

/// <summary>The recovery medium reaches images on real servers of this host, by the kernel's own CIFS and NFS.</summary>
[Trait("Category", "Matrix")]
public sealed class SourceDrills : IDisposable
{
    private const string Host = "10.0.2.2";
    private const string Password = "with blanks and \"quotes\"";

    private readonly Workplace _workplace = new();
    private readonly string _served;

    public SourceDrills()
    {
        Requires.Machines();
        Requires.Tools("mksquashfs", "xorriso", "grub-mkimage", "nginx", "openssl", "smbd", "smbpasswd", "ganesha.nfsd", "ssh", "ssh-keygen");
        _served = Directory.CreateDirectory(_workplace.PathOf("served")).FullName;
        File.Copy(Path.Combine(Server.Repository, "tests/fixtures/full.drimg"), Path.Combine(_served, "server.drimg"));
    }

    public void Dispose() => _workplace.Dispose();

    [Fact]
    public void Images_on_samba_nfs_https_and_a_disc_are_read_whole()
    {
        string iso = Medium.Build(_workplace.PathOf("recovery.iso"), LiveSession.KeyOptions(_workplace));
        string disc = _workplace.PathOf("disc.iso");
        Tool.Run("xorriso", "-as", "mkisofs", "-quiet", "-V", "IMAGES", "-R", "-o", disc, _served);
        using var samba = new SambaHost(_served, Password);
        using var nfs = new NfsHost(_served);
        using var web = new WebHost(_served, tls: true);
        using var medium = new LiveSession(new Machine(Firmware.Bios, new Disk(disc) { Throwaway = true }) { Cdrom = iso }, _workplace);
        string script = $"""
            umask 077
            cat > /tmp/ca.pem <<'END'
            {File.ReadAllText(web.CaFile)}
            END
            cat > /tmp/credentials <<'END'
            {Host} {SambaHost.User} "{Password.Replace("\"", "\\\"", StringComparison.Ordinal)}"
            END
            for image in {samba.LocationOf("server.drimg", Host)} {nfs.LocationOf("server.drimg", Host)} {web.AddressOf("server.drimg", Host)} label:IMAGES/server.drimg; do
                dr verify $image --credentials /tmp/credentials --ca /tmp/ca.pem
            done
            ! grep /run/dr /proc/mounts
            """;
        string output = medium.Run(script);
        Assert.Equal(4, output.Split('\n').Count(l => l.Contains("whole. ", StringComparison.Ordinal)));
    }
}
