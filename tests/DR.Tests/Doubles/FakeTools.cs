using DR.Core.Devices;
using DR.Core.Primitives;
using DR.Platform;

namespace DR.Tests.Doubles;

/// <summary>Tools that do what the test says; those that it does not name are the real ones.</summary>
internal sealed class FakeTools : IToolRunner
{
    private readonly ProcessToolRunner _real = new();

    public HashSet<string> Missing { get; } = [];

    public Dictionary<string, Func<IReadOnlyList<string>, ToolResult>> Behaviour { get; } = [];

    public List<string> Runs { get; } = [];

    public bool Has(string tool) => !Missing.Contains(tool) && (Behaviour.ContainsKey(tool) || _real.Has(tool));

    public ToolResult Run(string tool, IReadOnlyList<string> arguments, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        Runs.Add(tool);
        return Missing.Contains(tool) ? throw new DrException(Failure.Missing, $"the tool {tool} is needed and not installed")
            : Behaviour.TryGetValue(tool, out var behaviour) ? behaviour(arguments)
            : _real.Run(tool, arguments, cancel);
    }
}
