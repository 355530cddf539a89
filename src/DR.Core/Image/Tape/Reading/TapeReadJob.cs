using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>
/// Reads the blocks of an image off as many cartridges as it lies on, and gives their payloads in order: blocks that were
/// written twice once, lost ones as a gap or as a failure. On a thread of its own.
/// </summary>
internal sealed class TapeReadJob(
    ITapeDrive drive, ICartridgeFeeder feeder, TapeReadSettings settings, TapeImageFinder finder, ReadRing ring, TapeProgress progress, IJobReport report)
{
    /// <summary>Bytes of an image that are taken for lost at most: more is no loss but a false number.</summary>
    private const long MaxGap = 1L << 46;

    private CartridgeLabel _cartridge = null!;
    private ImageLabel _label = null!;
    private BlockReader _blocks = null!;
    private long _next;
    private long _offset;
    private string _lastProblem = "";

    private string Where => $"{drive.Name}, cartridge {_cartridge.Label} (number {_cartridge.Number}), {_blocks.Where}";

    private ulong Tag => RecordHeader.TagOf(_label.ImageId);

    /// <exception cref="DrException">Blocks are lost, or a cartridge is missing.</exception>
    public void Run(CancellationToken cancel)
    {
        _label = finder.Find(cancel, out _cartridge);
        BeginCartridge(cancel);
        if (_label.FirstBlock > 0)
        {
            report.Warn($"{drive.Name}: the beginning of the image is lost; {_cartridge.Label} stands in for it");
            ReadHead(cancel);
        }

        bool more = true;
        while (more)
        {
            cancel.ThrowIfCancellationRequested();
            var read = _blocks.Next(out var block, out var payload);
            more = read switch
            {
                BlockRead.Block => Take(block, payload, cancel),
                BlockRead.Lost => Note(_blocks.Problem),
                _ => Change(null, read == BlockRead.Broken ? _blocks.Problem : "no more is written on it", cancel),
            };
        }
    }

    private void BeginCartridge(CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        progress.Begin(_cartridge);
        _blocks = new BlockReader(drive, settings.Retries, progress);
    }

    /// <summary>The copy of the first bytes of the image, where the first cartridge is lost.</summary>
    private void ReadHead(CancellationToken cancel)
    {
        while (_offset < _label.HeadBytes && _blocks.Next(out var block, out var payload) == BlockRead.Block && block.Kind == TapeBlockKind.Head && block.Offset == _offset)
        {
            ring.Put(payload, cancel);
            _offset += payload.Length;
        }
    }

    /// <returns>Whether more of the image follows.</returns>
    private bool Take(TapeBlock block, ReadOnlySpan<byte> payload, CancellationToken cancel)
    {
        switch (block.Kind)
        {
            case TapeBlockKind.Data when block.Tag == Tag:
                TakeData(block, payload, cancel);
                return true;
            case TapeBlockKind.Head:
                return true;
            case TapeBlockKind.EndOfCartridge when block.Tag == Tag:
                return Change(TapeLabels.ImageEnd(_blocks.Bytes, Where), "the image goes on", cancel);
            case TapeBlockKind.ImageEnd when block.Tag == Tag:
                var end = TapeLabels.ImageEnd(_blocks.Bytes, Where);
                Reach(end.Blocks, end.Bytes);
                return false;
            case TapeBlockKind.ImageLabel or TapeBlockKind.CartridgeLabel or TapeBlockKind.Data:
                return Unfinished("another image follows");
            default:
                return Note($"a block of kind {(int)block.Kind} stands here");
        }
    }

    /// <summary>The image has no end here; who reads its records will say so.</summary>
    private bool Unfinished(string why)
    {
        report.Warn($"{Where}: the image ends here without its end: {why}");
        return false;
    }

    private void TakeData(TapeBlock block, ReadOnlySpan<byte> payload, CancellationToken cancel)
    {
        // Blocks that were written again on the next cartridge, and the copy of the head.
        if (block.Sequence < _next || block.Offset + payload.Length <= _offset)
        {
            return;
        }

        Reach(block.Sequence, block.Offset);
        int known = (int)(_offset - block.Offset);
        ring.Put(payload[known..], cancel);
        (_next, _offset) = (block.Sequence + 1, block.Offset + payload.Length);
    }

    private bool Note(string problem)
    {
        _lastProblem = problem;
        report.Note($"{Where}: {problem}");
        return true;
    }

    /// <summary>That nothing is missing before a block.</summary>
    private void Reach(long sequence, long offset)
    {
        if (sequence <= _next && offset <= _offset)
        {
            return;
        }

        long length = offset - _offset;
        string problem = $"{Where}: blocks {_next} to {sequence - 1} of the image, its bytes {_offset} to {offset - 1}, are lost{(_lastProblem.Length > 0 ? $" ({_lastProblem})" : "")}";
        if (length is < 0 or > MaxGap || !settings.Salvage)
        {
            throw new LostBlocksException(problem);
        }

        report.Warn(problem);
        ring.PutGap(length);
        (_next, _offset, _lastProblem) = (sequence, offset, "");
    }

    /// <summary>Goes on with the next cartridge; false where there is none and the image may just be unfinished.</summary>
    /// <param name="end">What the cartridge says of its own end; null where it has none.</param>
    private bool Change(ImageEnd? end, string why, CancellationToken cancel)
    {
        if (end is null)
        {
            report.Note($"{Where}: {why}, and no label says that the cartridge ends here");
        }

        var before = _cartridge;
        string problem = end is null
            ? $"{before.Label} ends without a label ({why}): the image is unfinished, or goes on with the next cartridge"
            : $"{before.Label} (cartridge {before.Number}) is read";
        try
        {
            Pass(c => JudgeNext(c, before, later: false), $"cartridge {before.Number + 1} of set {Cartridge.ShortOf(before.SetId)}", problem, cancel);
        }
        catch (NoCartridgeException e)
        {
            if (end is null && !settings.Salvage)
            {
                return Unfinished(e.Message);
            }

            if (!settings.Salvage || !Skip(before, e.Message, cancel))
            {
                return settings.Salvage ? Unfinished(e.Message) : throw new LostBlocksException(e.Message);
            }
        }

        BeginCartridge(cancel);
        return true;
    }

    /// <summary>While salvaging: any later cartridge.</summary>
    private bool Skip(CartridgeLabel before, string problem, CancellationToken cancel)
    {
        try
        {
            Pass(c => JudgeNext(c, before, later: true), $"any cartridge of set {Cartridge.ShortOf(before.SetId)} after number {before.Number + 1}", problem, cancel);
            return true;
        }
        catch (NoCartridgeException)
        {
            return false;
        }
    }

    private void Pass(Func<Cartridge, string?> judge, string wanted, string problem, CancellationToken cancel)
    {
        var cartridge = CartridgeGate.Pass(drive, feeder, wanted, false, judge, problem, wish => new NoCartridgeException(wish), cancel);
        _cartridge = cartridge.Label!;
        report.Note($"{drive.Name}: going on with {cartridge.Words}");
    }

    private string? JudgeNext(Cartridge cartridge, CartridgeLabel before, bool later)
    {
        if (TapeImageFinder.ProblemOf(cartridge) is { } problem)
        {
            return problem;
        }

        var label = cartridge.Label!;
        if (label.SetId != before.SetId || label.Number <= before.Number)
        {
            return $"in the drive is {cartridge.Words}";
        }

        var image = CartridgeContents.LabelAt(drive, 1, new byte[TapeFormat.ReadBufferLength]);
        if (image is null || image.ImageId != _label.ImageId)
        {
            return $"{cartridge.Words} does not begin with the rest of the image";
        }

        // A cartridge on which nothing has remained counts as none: what follows is told by its blocks.
        if (!later && label.Number != before.Number + 1 && image.FirstBlock > _next)
        {
            return $"in the drive is {cartridge.Words}";
        }

        _label = image;
        return null;
    }
}
