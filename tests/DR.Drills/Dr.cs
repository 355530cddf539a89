using System.Text.Json.Nodes;

namespace DR.Drills;

/// <summary>The program under drill, used as an operator uses it.</summary>
internal static class Dr
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "dr");

    public static ToolResult Try(params IReadOnlyList<string> arguments) => Tool.Try(Program, arguments);

    /// <summary>Runs a verb with --json, which has to end with 0; the one document it prints.</summary>
    public static JsonNode Run(params IReadOnlyList<string> arguments)
    {
        var result = Try([.. arguments, "--json"]).Expect(0);
        return JsonNode.Parse(result.Output) ?? throw new InvalidOperationException($"`{result.Command}` printed no JSON document");
    }
}
