using System.Buffers.Binary;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace DR.Drills.Machines;

/// <summary>
/// Changes which certificates OVMF's NVRAM file trusts, as another vendor would have shipped it. Layout (EDK II,
/// MdeModulePkg/Include/Guid/VariableFormat.h), little endian:
/// <code>
/// volume header, its length at 0x30
/// store header 28: GUID, size u32 ...
/// variables, aligned to 4: 0x55AA u16, state u8, ..., NameSize u32 @36, DataSize u32 @40, GUID @44, name @60, data
///   state 0x3F: valid
/// rest: 0xFF
/// db:   signature lists: type GUID, list size, header size 0, signature size u32; owner GUID, certificate
/// </code>
/// </summary>
internal static class SecureBootStore
{
    private const int StoreHeader = 28;
    private const int VariableHeader = 60;
    private const byte Valid = 0x3F;
    private static readonly Guid X509 = new("a5c059a1-94e4-4aa7-87b5-ab155c2bf072");
    private static readonly Guid Owner = new("77fa9abd-0359-4d32-bd60-28f4e78f784b");    // Microsoft

    /// <summary>A store whose db holds these certificates (DER) and nothing else.</summary>
    public static byte[] Trusting(byte[] store, params byte[][] certificates)
    {
        var result = store.ToArray();
        var (start, end) = Bounds(store);
        Array.Fill(result, (byte)0xFF, start, end - start);
        int to = start;
        foreach (var (at, length, name) in Variables(store))
        {
            byte[] variable = name == "db" ? WithData(store.AsSpan(at, length), [.. certificates.SelectMany(List)]) : store[at..(at + length)];
            variable.CopyTo(result, to);
            to = (to + variable.Length + 3) & ~3;
        }

        return result;
    }

    /// <summary>The certificates of the db.</summary>
    public static IReadOnlyList<X509Certificate2> Trusted(byte[] store)
    {
        var (at, length, _) = Variables(store).Single(v => v.Name == "db");
        var data = store.AsSpan(at + VariableHeader + 6, length - VariableHeader - 6);
        List<X509Certificate2> found = [];
        while (data.Length > 0)
        {
            int size = Int(data[16..]);
            found.Add(X509CertificateLoader.LoadCertificate(data[44..size]));
            data = data[size..];
        }

        return found;
    }

    /// <summary>The certificate authority of this name that a signature of the EFI program carries.</summary>
    public static byte[] AuthorityIn(string program, string name)
    {
        string folder = Directory.CreateTempSubdirectory("dr-shim").FullName;
        try
        {
            return Signatures(File.ReadAllBytes(program)).SelectMany(s => Certificates(s, Path.Combine(folder, "signature")))
                .First(c => c.GetNameInfo(X509NameType.SimpleName, forIssuer: false) == name).RawData;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static X509Certificate2Collection Certificates(byte[] pkcs7, string file)
    {
        File.WriteAllBytes(file, pkcs7);
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(Tool.Run("openssl", "pkcs7", "-inform", "der", "-in", file, "-print_certs"));
        return certificates;
    }

    /// <summary>The certificate table of a PE32+ file: length u32, revision u16, type u16, PKCS #7.</summary>
    private static IEnumerable<byte[]> Signatures(byte[] program)
    {
        int directory = Int(program.AsSpan(0x3C)) + 24 + 112 + (4 * 8);
        int at = Int(program.AsSpan(directory));
        int end = at + Int(program.AsSpan(directory + 4));
        while (at < end)
        {
            int length = Int(program.AsSpan(at));
            yield return program[(at + 8)..(at + length)];
            at += (length + 7) & ~7;
        }
    }

    private static IEnumerable<(int At, int Length, string Name)> Variables(byte[] store)
    {
        var (at, end) = Bounds(store);
        while (at < end && BinaryPrimitives.ReadUInt16LittleEndian(store.AsSpan(at)) == 0x55AA)
        {
            int name = Int(store.AsSpan(at + 36));
            int length = VariableHeader + name + Int(store.AsSpan(at + 40));
            if (store[at + 2] == Valid)
            {
                yield return (at, length, Encoding.Unicode.GetString(store, at + VariableHeader, name).TrimEnd('\0'));
            }

            at = (at + length + 3) & ~3;
        }
    }

    private static (int Start, int End) Bounds(byte[] store)
    {
        int header = BinaryPrimitives.ReadUInt16LittleEndian(store.AsSpan(0x30));
        return (header + StoreHeader, header + Int(store.AsSpan(header + 16)));
    }

    private static byte[] WithData(ReadOnlySpan<byte> variable, byte[] data)
    {
        byte[] changed = [.. variable[..(VariableHeader + Int(variable[36..]))], .. data];
        BinaryPrimitives.WriteInt32LittleEndian(changed.AsSpan(40), data.Length);
        return changed;
    }

    private static byte[] List(byte[] certificate)
    {
        var list = new byte[44 + certificate.Length];
        X509.TryWriteBytes(list);
        BinaryPrimitives.WriteInt32LittleEndian(list.AsSpan(16), list.Length);
        BinaryPrimitives.WriteInt32LittleEndian(list.AsSpan(24), 16 + certificate.Length);
        Owner.TryWriteBytes(list.AsSpan(28));
        certificate.CopyTo(list, 44);
        return list;
    }

    private static int Int(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32LittleEndian(bytes);
}
