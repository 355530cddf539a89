using DR.Core.Primitives;

namespace DR.Core.Devices;

/// <summary>A server was reached and lets nobody in with what was given for it, or with nothing.</summary>
/// <param name="host">Whose name and password are wanted.</param>
public sealed class LoginNeededException(string host, string message) : DrException(Failure.Failed, message)
{
    public string Host => host;
}
