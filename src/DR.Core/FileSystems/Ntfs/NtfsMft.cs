using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.FileSystems.Ntfs;

/// <summary>
/// The master file table. Its first record says where the rest of it lies; where it is fragmented, with the help of further
/// records, each of which lies in what is known by then.
/// </summary>
internal sealed class NtfsMft
{
    public const int MftRecord = 0;
    public const int MirrorRecord = 1;
    public const int LogRecord = 2;
    public const int VolumeRecord = 3;
    public const int RootRecord = 5;
    public const int BitmapRecord = 6;
    public const int BadClustersRecord = 8;

    /// <summary>Records below belong to the filesystem itself.</summary>
    public const int FirstUserRecord = 16;

    private const int WindowSize = 256 << 10;
    private const int MaxAttributeList = 256 << 10;

    private readonly IBlockDevice _volume;
    private readonly NtfsBootSector _boot;
    private NtfsStream _stream;
    private byte[] _window = [];
    private Extent _windowRange;

    /// <exception cref="CorruptDataException">Its own record makes no sense.</exception>
    public NtfsMft(IBlockDevice volume, NtfsBootSector boot)
    {
        (_volume, _boot) = (volume, boot);
        var first = new[] { new NtfsRun(0, boot.MftCluster, (boot.RecordSize + boot.ClusterSize - 1) / boot.ClusterSize) };
        if (first[0].Lcn + first[0].Count > boot.Clusters)
        {
            throw new CorruptDataException($"{volume.Name}, MFT", $"it begins at cluster {boot.MftCluster} of {boot.Clusters}");
        }

        _stream = new NtfsStream(volume, boot, first, boot.RecordSize, boot.RecordSize, Where(0));
        var record = this[MftRecord];
        var pieces = record.Attributes.Where(a => a.Type == NtfsType.Data && a.Name.Length == 0).ToList();
        _stream = Join(pieces, whole: false);
        foreach (long number in ListedRecords(record, NtfsType.Data).Where(n => n != MftRecord))
        {
            pieces.AddRange(Extension(record, number).Attributes.Where(a => a.Type == NtfsType.Data && a.Name.Length == 0));
            _stream = Join(pieces, whole: false);
        }

        _stream = Join(pieces, whole: true);
        long backed = _stream.Extents.Sum(e => e.Length);
        if (backed < _stream.Size)
        {
            throw new CorruptDataException(Where(MftRecord), $"the table of {_stream.Size} bytes has clusters for {backed} only");
        }

        _windowRange = default;
    }

    public long Count => _stream.Size / _boot.RecordSize;

    public NtfsStream Stream => _stream;

    /// <exception cref="CorruptDataException">There is no such record, or it is none.</exception>
    public NtfsRecord this[long number]
    {
        get
        {
            if (number < 0 || number >= Count)
            {
                throw new CorruptDataException(Where(number), $"there are {Count} records");
            }

            return new NtfsRecord(Load(number * _boot.RecordSize), number, _boot.Clusters, Where(number));
        }
    }

    /// <summary>A file with all its records.</summary>
    /// <exception cref="CorruptDataException">There is none, or one of its records is none.</exception>
    public NtfsFile Open(long number)
    {
        var record = this[number];
        if (!record.IsInUse || record.IsExtension)
        {
            throw new CorruptDataException(Where(number), record.IsInUse ? $"it extends record {record.BaseRecord}" : "it is not in use");
        }

        var attributes = record.Attributes.ToList();
        foreach (long other in ListedRecords(record, null).Where(n => n != number))
        {
            attributes.AddRange(Extension(record, other).Attributes);
        }

        return new NtfsFile(_volume, _boot, record, attributes);
    }

    private NtfsRecord Extension(NtfsRecord first, long number)
    {
        var record = this[number];
        return record is { IsInUse: true, IsExtension: true } && record.BaseRecord == first.Number
            ? record
            : throw new CorruptDataException(Where(number), $"it is to extend record {first.Number}, but extends {record.BaseRecord}");
    }

    /// <summary>The records that the attribute list names, each once, in the order of the list.</summary>
    /// <param name="type">Only for attributes of this type.</param>
    private List<long> ListedRecords(NtfsRecord record, uint? type)
    {
        if (record.Attributes.FirstOrDefault(a => a.Type == NtfsType.AttributeList) is not { } list)
        {
            return [];
        }

        if (list.Size > MaxAttributeList)
        {
            throw new CorruptDataException(Where(record.Number), $"an attribute list of {list.Size} bytes");
        }

        byte[] bytes = list.Runs is null ? list.Value.ToArray()
            : NtfsFile.Join(_volume, _boot, [list], Where(record.Number), whole: true)!.ReadBytes(0, (int)list.Size);
        return Parse(bytes, type, Where(record.Number)).Distinct().ToList();
    }

    /// <summary>Type, length of the entry, length and offset of the name, first cluster, reference, instance, name.</summary>
    private static List<long> Parse(ReadOnlySpan<byte> list, uint? type, string where)
    {
        const int header = 0x1A;
        var records = new List<long>();
        while (list.Length >= header)
        {
            var reader = new SpanReader(list, $"{where}, attribute list");
            uint entryType = reader.U32();
            int length = reader.U16();
            reader.Seek(0x10);
            ulong reference = reader.U64();
            if (length < header || length > list.Length)
            {
                throw reader.Corrupt($"an entry of {length} bytes");
            }

            if (type is null || type == entryType)
            {
                records.Add(NtfsReference.Number(reference));
            }

            list = list[length..];
        }

        return records;
    }

    private NtfsStream Join(List<NtfsAttribute> pieces, bool whole) =>
        NtfsFile.Join(_volume, _boot, pieces, $"{_volume.Name}, MFT", whole)
            ?? throw new CorruptDataException(Where(MftRecord), "the MFT has no clusters");

    private byte[] Load(long offset)
    {
        var range = new Extent(offset, _boot.RecordSize);
        if (!_windowRange.Contains(range))
        {
            Fill(range);
        }

        return _window.AsSpan((int)(offset - _windowRange.Start), _boot.RecordSize).ToArray();
    }

    private void Fill(Extent range)
    {
        int ahead = (int)Math.Min(WindowSize, _stream.Size - range.Start);
        _windowRange = default;
        try
        {
            _window = _stream.ReadBytes(range.Start, ahead);
        }
        catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
        {
            // The bad sector may lie in a record that nobody asked for.
            _window = _stream.ReadBytes(range.Start, (int)range.Length);
        }

        _windowRange = new Extent(range.Start, _window.Length);
    }

    private string Where(long number) => $"{_volume.Name}, MFT record {number}";
}
