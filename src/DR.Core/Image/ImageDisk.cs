using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image;

/// <summary>
/// A volume or region of an image as a device for reading only. Free and excluded bytes read as zeros. What the image should
/// have and has not, or has damaged, is a fault of the medium. Decoded frames are kept for the next read.
/// </summary>
public sealed class ImageDisk : IBlockDevice
{
    private readonly ImageReader _image;
    private readonly Space _space;
    private readonly BlockMap _map;
    private readonly FrameCodec _codec;
    private readonly List<(RecordPosition Position, int Length)> _frames = [];
    private readonly Place[] _places;
    private readonly LinkedList<CachedFrame> _cache = new();
    private readonly int _cacheLimit;
    private readonly byte[] _record = new byte[ImageFormat.MaxHeaderLength + ImageFormat.MaxFrameBytes];
    private readonly Lock _lock = new();

    /// <param name="image">Stays the caller's, and is used by nobody else while the disk is open.</param>
    /// <param name="space">Number of the volume or region.</param>
    /// <param name="cachedFrames">Decoded frames of up to 1 MiB to keep.</param>
    /// <exception cref="CorruptDataException">The map is missing or damaged.</exception>
    public ImageDisk(ImageReader image, int space, IFrameCompressor compressor, int cachedFrames = 16)
    {
        _image = image;
        _space = image.Spaces[space];
        _map = image.MapOf(space);
        _codec = new FrameCodec(compressor);
        _cacheLimit = cachedFrames;
        _places = Places(space);
        SectorSize = SectorSizeOf(image.Manifest, space);
    }

    public string Name => $"image {_image.Header.ImageId}, space {_space.Number}";

    public long Length => _space.Length;

    /// <summary>That of the disk it was saved from.</summary>
    public int SectorSize { get; }

    public int PhysicalSectorSize => SectorSize;

    public int Alignment => 1;

    public bool IsReadOnly => true;

    public void Read(Span<byte> buffer, long offset)
    {
        this.CheckRange(offset, buffer.Length);
        lock (_lock)
        {
            while (buffer.Length > 0)
            {
                long block = offset / _space.BlockSize;
                int within = (int)(offset % _space.BlockSize);
                int count = Math.Min(buffer.Length, _space.BlockSize - within);
                ReadBlock(buffer[..count], block, within);
                buffer = buffer[count..];
                offset += count;
            }
        }
    }

    public void Write(ReadOnlySpan<byte> buffer, long offset) => throw Protected(offset, buffer.Length);

    public void Zero(Extent extent) => throw Protected(extent.Start, extent.Length);

    public void Discard(Extent extent) => throw Protected(extent.Start, extent.Length);

    public IEnumerable<BlockStatus> Status(Extent extent)
    {
        this.CheckRange(extent.Start, extent.Length);
        for (long start = extent.Start; start < extent.End;)
        {
            long block = start / _space.BlockSize;
            var state = _map[block];
            while (++block < _map.BlockCount && _map[block] == state && block * _space.BlockSize < extent.End)
            {
            }

            long end = Math.Min(extent.End, block * _space.BlockSize);
            yield return new BlockStatus(Extent.Between(start, end), state == MapState.Allocated ? BlockState.Data : BlockState.Hole);
            start = end;
        }
    }

    public void Flush()
    {
    }

    public void Dispose() => _codec.Dispose();

    private static int SectorSizeOf(Manifest manifest, int space)
    {
        int disk = manifest.Volumes.FirstOrDefault(v => v.Space == space)?.Segments[0].Disk ?? manifest.Regions.First(r => r.Space == space).Disk;
        return manifest.LayoutOf(disk).SectorSize;
    }

    private Place[] Places(int space)
    {
        var places = new List<Place>();
        foreach (var entry in _image.Index(space))
        {
            places.AddRange(entry.Runs.Select(r => new Place(r.First, r.Count, _frames.Count)));
            _frames.Add((entry.Position, entry.Length));
        }

        return [.. places.OrderBy(p => p.First)];
    }

    private void ReadBlock(Span<byte> target, long block, int within)
    {
        if (_map[block] != MapState.Allocated)
        {
            target.Clear();
            return;
        }

        long offset = block * _space.BlockSize + within;
        int place = FrameOf(block);
        if (place < 0)
        {
            throw Fault(offset, target.Length, "the image has no frame for these bytes", null);
        }

        try
        {
            Frame(place).Copy(_space, block, within, target);
        }
        catch (CorruptDataException e)
        {
            throw Fault(offset, target.Length, e.Message, e);
        }
    }

    /// <summary>The frame that has the block; -1 if none has.</summary>
    private int FrameOf(long block)
    {
        int low = 0;
        int high = _places.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_places[middle].First <= block)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low > 0 && block < _places[low - 1].First + _places[low - 1].Count ? _places[low - 1].Frame : -1;
    }

    /// <summary>From the cache, whose last used frame is the first; or read, in place of the one that was used longest ago.</summary>
    private CachedFrame Frame(int number)
    {
        var node = _cache.First;
        while (node is not null && node.Value.Number != number)
        {
            node = node.Next;
        }

        if (node is null)
        {
            var content = _cache.Count < _cacheLimit ? new byte[ImageFormat.MaxFrameBytes] : TakeOldest();
            var (position, length) = _frames[number];
            var frame = _image.ReadFrame(position, length, _codec, _record, content, out _);
            node = new LinkedListNode<CachedFrame>(new CachedFrame(number, frame, content));
        }
        else
        {
            _cache.Remove(node);
        }

        _cache.AddFirst(node);
        return node.Value;
    }

    private byte[] TakeOldest()
    {
        var content = _cache.Last!.Value.Content;
        _cache.RemoveLast();
        return content;
    }

    private DeviceFaultException Fault(long offset, long length, string reason, Exception? inner) =>
        new(FaultKind.Medium, Name, offset, length, "read", reason, inner);

    private DeviceFaultException Protected(long offset, long length) =>
        new(FaultKind.Protected, Name, offset, length, "write", "an image is for reading only");

    /// <summary>Blocks and the number of the frame that has them.</summary>
    private readonly record struct Place(long First, int Count, int Frame);

    private sealed record CachedFrame(int Number, Frame Frame, byte[] Content)
    {
        /// <exception cref="CorruptDataException">The frame does not have the block, though the index says so.</exception>
        public void Copy(Space space, long block, int within, Span<byte> target)
        {
            long at = 0;
            foreach (var run in Frame.Runs)
            {
                if (block >= run.First && block < run.First + run.Count && Frame.Space == space.Number)
                {
                    at += (block - run.First) * space.BlockSize + within;
                    Fill(run, at, target);
                    return;
                }

                at += run.HasContent ? DR.Core.Image.Frame.BytesOf(run, space) : 0;
            }

            throw new CorruptDataException("index", "it names a frame that does not have the block");
        }

        private void Fill(BlockRun run, long at, Span<byte> target)
        {
            if (run.HasContent)
            {
                Content.AsSpan((int)at, target.Length).CopyTo(target);
            }
            else
            {
                target.Clear();
            }
        }
    }
}
