using DR.Core.Devices;

namespace DR.Tests.Image.Tape;

/// <summary>A drive that passes everything on to another; its heirs change what they want. The other stays the caller's.</summary>
internal abstract class PassingTapeDrive : ITapeDrive
{
    public string Name => Inner.Name;

    public int MaxBlockSize => Inner.MaxBlockSize;

    public virtual TapePosition Position => Inner.Position;

    /// <summary>The drive that is meant now.</summary>
    protected abstract ITapeDrive Inner { get; }

    public TapeStatus Status() => Inner.Status();

    public virtual TapeRead ReadBlock(Span<byte> buffer) => Inner.ReadBlock(buffer);

    public virtual TapeWrite WriteBlock(ReadOnlySpan<byte> block) => Inner.WriteBlock(block);

    public virtual void WriteFilemark(bool immediate) => Inner.WriteFilemark(immediate);

    public void Rewind() => Inner.Rewind();

    public void SpaceFilemarks(int count) => Inner.SpaceFilemarks(count);

    public void SpaceToEnd() => Inner.SpaceToEnd();

    public void Locate(TapePosition position) => Inner.Locate(position);

    public void EraseTape() => Inner.EraseTape();

    public void Unload() => Inner.Unload();

    public void Dispose()
    {
    }
}
