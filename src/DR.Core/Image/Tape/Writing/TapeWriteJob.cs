using DR.Core.Devices;
using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>
/// Takes blocks out of the ring and puts them onto as many cartridges as it takes. On a thread of its own. A cartridge ends
/// at its early warning, or where it takes nothing more; what may not be on it is written again on the next.
/// </summary>
internal sealed class TapeWriteJob(
    ITapeDrive drive, TapeTarget target, TapeTargetFinder finder, TapeSettings settings, WriteRing ring, ImageHead head, TapeProgress progress, IJobReport report)
{
    /// <summary>Cartridges in a row that took no block: then it is not the cartridges.</summary>
    private const int MaxUseless = 3;

    private CartridgeLabel _label = target.Label;
    private CartridgeWriter _cartridge = new(drive, settings, progress);
    private int _part;
    private int _firstCartridge;
    private int _useless;
    private bool _append = target.Append;

    /// <summary>What the tape holds of the image, for who stops in the middle.</summary>
    public string State => _part == 0
        ? $"{drive.Name}: nothing was written."
        : $"{drive.Name}: cartridge {_label.Label} ends in an unfinished image, #{target.Image}, which cannot be restored. What lies before it is untouched; a new image can be appended.";

    /// <exception cref="DrException">The image cannot be finished.</exception>
    public void Run(CancellationToken cancel)
    {
        if (!ring.WaitForNext(() => { }, cancel) && !head.IsKnown)
        {
            throw new DrException(Failure.Failed, $"{drive.Name}: the image has no beginning");
        }

        while (true)
        {
            long before = ring.Next;
            var (ending, words) = WriteCartridge(cancel);
            if (ending == CartridgeEnding.Done)
            {
                return;
            }

            if (ending == CartridgeEnding.Broken)
            {
                report.Warn($"{drive.Name}: cartridge {_label.Label}: {words}");
                GoBack();
            }

            _useless = ring.Next > before ? 0 : _useless + 1;
            if (_useless >= MaxUseless)
            {
                throw new DrException(Failure.Failed, $"{drive.Name}: {MaxUseless} cartridges in a row took no data ({words}); the image is unfinished. Clean the drive (dr tape status), or use larger cartridges");
            }

            Change(words, cancel);
        }
    }

    /// <summary>The last thing on a tape that is left in the middle, so that what was written ends properly. Best effort.</summary>
    public void Abandon()
    {
        try
        {
            if (_part > 0)
            {
                _cartridge.Mark(immediate: false);
            }
        }
        catch (DrException e)
        {
            report.Note($"{drive.Name}: no filemark behind the unfinished image: {e.Message}");
        }
    }

    private (CartridgeEnding Ending, string Words) WriteCartridge(CancellationToken cancel)
    {
        try
        {
            var ending = !Open() ? CartridgeEnding.Broken
                : !WriteData(cancel) ? CartridgeEnding.Broken
                : _cartridge.Warned && !ring.IsFinished ? CartridgeEnding.NearEnd // near its end a few bytes decide whether another is needed
                : CartridgeEnding.Done;
            bool done = ending == CartridgeEnding.Done;
            if (ending != CartridgeEnding.Broken && !Seal(done))
            {
                ending = CartridgeEnding.Broken;
            }

            return (ending, $"cartridge {_label.Label} is full");
        }
        catch (DeviceFaultException e) when (e.Kind is FaultKind.Medium or FaultKind.Full)
        {
            return (CartridgeEnding.Broken, e.Message);
        }
    }

    /// <summary>Labels of cartridge and image; false where they do not fit.</summary>
    private bool Open()
    {
        progress.Begin(_label);
        if (_append)
        {
            _cartridge.Append();
        }
        else if (!_cartridge.Begin(_label with { ImageId = head.ImageId, Written = settings.Time.GetUtcNow() }))
        {
            return false;
        }

        int first = _part == 0 ? _label.Number : _firstCartridge;
        var label = new ImageLabel(_label.SetId, _label.Number, target.Image, head.ImageId, settings.ImageName, _part + 1, first, 1, settings.BlockSize,
            ring.Next, ring.Next * (settings.BlockSize - TapeFormat.HeaderLength), 0, settings.Time.GetUtcNow(), settings.Program);
        bool put = _cartridge.PutImageLabel(label, _part > 0 && head.IsKnown ? head.Bytes : []);
        if (_cartridge.LabelFile > 0)
        {
            (_part, _firstCartridge) = (_part + 1, first);
        }

        return put;
    }

    /// <summary>Blocks until the end is near or no more come; false where one was not taken.</summary>
    private bool WriteData(CancellationToken cancel)
    {
        while (!_cartridge.Warned && ring.WaitForNext(progress.Stopped, cancel))
        {
            if (!_cartridge.PutData(ring.Peek().Span, ring.Next, ring.Written, ring.Sync))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Ends what is on the cartridge; false where the image ends and its end could not be written.</summary>
    private bool Seal(bool last)
    {
        _cartridge.Mark(immediate: last);
        if (!last)
        {
            ring.Sync();
        }

        long bytes = last ? head.Length : ring.Next * (settings.BlockSize - TapeFormat.HeaderLength);
        if (_cartridge.PutEnd(new ImageEnd(_label.SetId, _label.Number, target.Image, head.ImageId, _part, 0, ring.Next, bytes), last))
        {
            ring.Sync();
            return true;
        }

        if (last)
        {
            _cartridge.Mark(immediate: false);
            ring.Sync();
        }

        // The data is on the tape. Where the cartridge has no end, sequence numbers say where the next goes on.
        return !last;
    }

    /// <summary>To the first block that is not surely on the tape.</summary>
    private void GoBack()
    {
        long next = ring.Next;
        long sure = ring.Synced;
        if (sure < next)
        {
            long from = Math.Max(sure, ring.Oldest);
            sure = Math.Max(sure, Math.Min(next, _cartridge.ReadBack(from, RecordHeader.TagOf(head.ImageId)) ?? sure));
        }

        if (sure < ring.Oldest)
        {
            throw new DrException(Failure.Failed,
                $"{drive.Name}: cartridge {_label.Label} has lost blocks of the image from number {sure} on, and only those from {ring.Oldest} are still in memory: the image is unfinished. Begin again, with a larger --buffer");
        }

        report.Note($"{drive.Name}: {next - sure} blocks are written again on the next cartridge");
        ring.GoBack(sure);
    }

    private void Change(string because, CancellationToken cancel)
    {
        // A cartridge that took not even the label of the image does not count.
        int number = _cartridge.LabelFile > 0 ? _label.Number + 1 : _label.Number;
        _label = finder.Next(_label.SetId, number, head.ImageId, because, cancel);
        _cartridge = new CartridgeWriter(drive, settings, progress);
        _append = false;
        report.Note($"{drive.Name}: going on with {_label.Label}, cartridge {_label.Number}");
    }
}
