namespace DR.Core.Layout.Raid;

/// <summary>
/// Where the parity of a stripe lies and in which order its data follows; numbers as Linux' md writes them into its superblocks
/// (drivers/md/raid5.h). LDM rotates as <see cref="LeftSymmetric"/>.
/// </summary>
public enum ParityRotation
{
    /// <summary>Parity from the last column towards the first; data from the first column on.</summary>
    LeftAsymmetric = 0,

    /// <summary>Parity from the first column towards the last; data from the first column on.</summary>
    RightAsymmetric = 1,

    /// <summary>Parity from the last column towards the first; data from behind the parity on.</summary>
    LeftSymmetric = 2,

    /// <summary>Parity from the first column towards the last; data from behind the parity on.</summary>
    RightSymmetric = 3,

    /// <summary>Parity always in front.</summary>
    ParityFirst = 4,

    /// <summary>Parity always behind.</summary>
    ParityLast = 5,
}
