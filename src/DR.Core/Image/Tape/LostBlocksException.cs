using DR.Core.Primitives;

namespace DR.Core.Image.Tape;

/// <summary>Bytes of an image that its medium cannot give; whoever reads records adds to what they belong.</summary>
public sealed class LostBlocksException(string message) : DrException(Failure.Damaged, message);
