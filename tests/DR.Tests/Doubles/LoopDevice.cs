namespace DR.Tests.Doubles;

/// <summary>A file as a block device of the kernel. Needs root.</summary>
internal sealed class LoopDevice : IDisposable
{
    public LoopDevice(string file) => Path = Tools.Run("losetup", "--find", "--show", file).Trim();

    public string Path { get; }

    public void Dispose() => Tools.Run("losetup", "--detach", Path);
}
