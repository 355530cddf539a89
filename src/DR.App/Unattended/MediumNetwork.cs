using DR.Engine.Sources;
using DR.Engine.Unattended;

namespace DR.App.Unattended;

/// <summary>The network of the machine that the recovery medium runs on, by systemd-networkd.</summary>
internal sealed class MediumNetwork(NetworkSetup setup) : INetworkSetup
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public void Apply(AnswerNetwork network, CancellationToken cancel) => setup.Apply(
        new NetworkSettings
        {
            Interface = network.Interface ?? "any",
            Address = network.Address,
            Gateway = network.Gateway,
            Dns = network.Dns,
            Vlan = network.Vlan,
        },
        Patience, cancel);
}
