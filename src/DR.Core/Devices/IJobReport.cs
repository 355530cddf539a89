namespace DR.Core.Devices;

/// <summary>Where a job tells how it gets on. Calls may come from any thread and return at once.</summary>
public interface IJobReport
{
    /// <summary>A new stage begins.</summary>
    /// <param name="name">Such as "volume 2 (ext4, root)".</param>
    /// <param name="total">Bytes of work in it; 0 where unknown.</param>
    void Stage(string name, long total);

    /// <summary>More bytes of the current stage are done.</summary>
    void Advance(long bytes);

    /// <summary>The same, of the volume or region with this number; for who shows them one by one.</summary>
    void Advance(int space, long bytes) => Advance(bytes);

    /// <summary>More bytes have been read back and are equal to what was written. Not a part of the stage's work.</summary>
    void ReadBack(long bytes)
    {
    }

    /// <summary>Where the tape stands, in words, about once a second: cartridge, position, rate. Empty where there is none any more.</summary>
    void Medium(string words)
    {
    }

    /// <summary>A remark that belongs into the log.</summary>
    void Note(string message);

    /// <summary>A problem that did not stop the job, for the screen and the report.</summary>
    void Warn(string message);
}
