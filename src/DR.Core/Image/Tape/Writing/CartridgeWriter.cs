using DR.Core.Devices;

namespace DR.Core.Image.Tape;

/// <summary>How writing on a cartridge came to its end.</summary>
internal enum CartridgeEnding
{
    /// <summary>The image is complete.</summary>
    Done,

    /// <summary>Early warning: what was written can be sealed.</summary>
    NearEnd,

    /// <summary>There is no more tape, or it takes nothing: what was written since the last synchronising filemark may be lost.</summary>
    Broken,
}

/// <summary>Writes the blocks of one part of an image on one cartridge, and knows where it is.</summary>
internal sealed class CartridgeWriter(ITapeDrive drive, TapeSettings settings, TapeProgress progress)
{
    private readonly List<(int File, long FirstBlock)> _sections = [];
    private long _sinceMark;
    private long _sinceSync;

    /// <summary>Filemarks on the cartridge so far.</summary>
    public int File { get; private set; }

    /// <summary>Of the image label of this part; 0 before it is written.</summary>
    public int LabelFile { get; private set; }

    /// <summary>Whether the end is near: nothing but ends is written any more.</summary>
    public bool Warned { get; private set; }

    /// <summary>Begins the cartridge anew.</summary>
    public bool Begin(CartridgeLabel label)
    {
        File = 0;
        if (!Put(TapeLabels.Encode(label)))
        {
            return false;
        }

        Mark(immediate: true);
        return true;
    }

    /// <summary>Goes on behind what is there.</summary>
    public void Append()
    {
        File = drive.Position.File;
        if (drive.Position.Block > 0)
        {
            Mark(immediate: true);
        }
    }

    /// <summary>The label of this part with a copy of the image's head.</summary>
    public bool PutImageLabel(ImageLabel label, ReadOnlySpan<byte> head)
    {
        if (!Put(TapeLabels.Encode(label with { File = File, HeadBytes = head.Length })))
        {
            return false;
        }

        LabelFile = File;
        var block = new byte[settings.BlockSize];
        int most = settings.BlockSize - TapeFormat.HeaderLength;
        for (int at = 0; at < head.Length; at += most)
        {
            var payload = head[at..Math.Min(head.Length, at + most)];
            payload.CopyTo(block.AsSpan(TapeFormat.HeaderLength));
            new TapeBlock(TapeBlockKind.Head, RecordHeader.TagOf(label.ImageId), at / most, at, payload.Length).Write(block);
            if (!Put(block.AsSpan(0, TapeFormat.HeaderLength + payload.Length)))
            {
                return false;
            }
        }

        Mark(immediate: true);
        _sections.Add((File, label.FirstBlock));
        return true;
    }

    /// <summary>
    /// A data block. When the section is full a filemark follows, and now and then one that waits until all is on the tape;
    /// then <paramref name="synced"/> is called.
    /// </summary>
    /// <returns>False where it was not written.</returns>
    public bool PutData(ReadOnlySpan<byte> block, long sequence, Action written, Action synced)
    {
        if (!Put(block))
        {
            return false;
        }

        written();
        _sinceMark += block.Length;
        _sinceSync += block.Length;
        if (_sinceMark >= settings.SectionBytes || _sinceSync >= settings.SyncBytes)
        {
            bool sync = _sinceSync >= settings.SyncBytes;
            Mark(immediate: !sync);
            _sections.Add((File, sequence + 1));
            if (sync)
            {
                synced();
                _sinceSync = 0;
            }
        }

        return true;
    }

    /// <summary>A filemark, the end, and a filemark that waits until all is on the tape.</summary>
    /// <param name="last">Whether the image ends, and not only the cartridge.</param>
    public bool PutEnd(ImageEnd end, bool last)
    {
        var block = TapeLabels.Encode(end with { LabelFile = LabelFile }, last);
        if (!Put(block))
        {
            return false;
        }

        Mark(immediate: false);
        return true;
    }

    public void Mark(bool immediate)
    {
        drive.WriteFilemark(immediate);
        File++;
        _sinceMark = 0;
    }

    /// <summary>
    /// Reads what the tape holds of the last blocks: the sequence number behind the last that can be read, from the last
    /// section that begins at or before <paramref name="from"/>. Null where even that cannot be told.
    /// </summary>
    public long? ReadBack(long from, ulong tag)
    {
        int at = _sections.FindLastIndex(s => s.FirstBlock <= from);
        if (at < 0)
        {
            return null;
        }

        try
        {
            return ReadOn(_sections[at].File, _sections[at].FirstBlock, tag);
        }
        catch (DeviceFaultException e) when (e.Kind is FaultKind.Medium or FaultKind.Full)
        {
            return null;
        }
    }

    private long ReadOn(int file, long next, ulong tag)
    {
        var buffer = new byte[TapeFormat.ReadBufferLength];
        drive.Locate(new TapePosition(file, 0));
        try
        {
            while (true)
            {
                var read = drive.ReadBlock(buffer);
                if (read.Kind == TapeReadKind.Filemark)
                {
                    continue;
                }

                if (read.Kind == TapeReadKind.EndOfData
                    || TapeBlock.Parse(buffer.AsSpan(0, read.Length), out _) is not { Kind: TapeBlockKind.Data } block || block.Tag != tag || block.Sequence != next)
                {
                    return next;
                }

                next++;
            }
        }
        catch (DeviceFaultException e) when (e.Kind == FaultKind.Medium)
        {
            return next;
        }
    }

    /// <summary>A drive may refuse one block when the end comes near, and take the next.</summary>
    private bool Put(ReadOnlySpan<byte> block)
    {
        var result = drive.WriteBlock(block);
        Warned |= result != TapeWrite.Written;
        if (result == TapeWrite.NotWrittenEarlyWarning)
        {
            result = drive.WriteBlock(block);
        }

        if (result is TapeWrite.Written or TapeWrite.WrittenEarlyWarning)
        {
            progress.Moved(drive, block.Length);
            return true;
        }

        return false;
    }
}
