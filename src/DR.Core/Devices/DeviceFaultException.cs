using DR.Core.Primitives;

namespace DR.Core.Devices;

public enum FaultKind
{
    /// <summary>The medium cannot read or write these bytes.</summary>
    Medium,

    /// <summary>The device is gone.</summary>
    Vanished,

    /// <summary>No room is left.</summary>
    Full,

    /// <summary>The device is read-only or write-protected.</summary>
    Protected,

    /// <summary>The device did not answer in time.</summary>
    Timeout,
}

/// <summary>A device failed. <see cref="Offset"/> and <see cref="Length"/> are the bytes of the request that failed.</summary>
public sealed class DeviceFaultException : DrException
{
    public DeviceFaultException(FaultKind kind, string device, long offset, long length, string doing, string reason, Exception? inner = null)
        : base(Failure.Failed, length == 0 ? $"{device}: {doing} failed: {reason}" : $"{device}: {doing} of {length} bytes at offset {offset} failed: {reason}", inner)
    {
        Kind = kind;
        Device = device;
        Offset = offset;
        Length = length;
    }

    public FaultKind Kind { get; }

    public string Device { get; }

    /// <summary>First byte of the failed request.</summary>
    public long Offset { get; }

    /// <summary>Bytes of the failed request; 0 where it was not about bytes, such as opening.</summary>
    public long Length { get; }
}
