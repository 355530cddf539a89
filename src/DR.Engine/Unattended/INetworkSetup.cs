using DR.Core.Primitives;

namespace DR.Engine.Unattended;

/// <summary>Sets the network of this machine up as an answer says.</summary>
public interface INetworkSetup
{
    /// <summary>Returns when there is an address.</summary>
    /// <exception cref="DrException">There is no such interface, no link, or nobody gave an address.</exception>
    void Apply(AnswerNetwork network, CancellationToken cancel);
}
