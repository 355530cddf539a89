using System.Globalization;
using System.Text.Json;
using DR.Core.Primitives;

namespace DR.Engine.Unattended;

/// <summary>An object of an answer file, whose members are asked for by name and checked as they are.</summary>
internal sealed class AnswerObject
{
    private readonly AnswerText _text;
    private readonly JsonTree _tree;

    /// <param name="title">What messages call it: "targets[0]"; empty for the whole file.</param>
    /// <param name="known">All members that it may have.</param>
    /// <exception cref="DrException">It is no object, or has a member that is not known.</exception>
    public AnswerObject(AnswerText text, JsonTree tree, string title, params string[] known)
    {
        (_text, _tree, Title) = (text, tree, title);
        if (tree.Kind != JsonTokenType.StartObject)
        {
            throw text.Error(tree.Offset, $"{(title.Length == 0 ? "an answer" : title)} is an object, {{ … }}");
        }

        foreach (var (member, (offset, _)) in tree.Members.Where(m => !known.Contains(m.Key)))
        {
            string nearest = known.MinBy(k => Distance(k, member))!;
            throw text.Error(offset, Distance(nearest, member) <= Math.Max(2, member.Length / 3)
                ? $"there is no member \"{member}\"{In}; is \"{nearest}\" meant?"
                : $"there is no member \"{member}\"{In}; there are {string.Join(", ", known)}");
        }
    }

    public string Title { get; }

    private string In => Title.Length == 0 ? "" : $" in {Title}";

    public bool Has(string name) => _tree.Members.ContainsKey(name);

    public JsonTree? Value(string name) => _tree.Members.TryGetValue(name, out var member) ? member.Value : null;

    /// <summary>Null where it is not given.</summary>
    public string? Text(string name) => Value(name) is { } value ? _text.TextOf(value, $"\"{name}\"{In}") : null;

    public bool Flag(string name, bool otherwise) => Value(name) switch
    {
        null => otherwise,
        { Kind: JsonTokenType.True } => true,
        { Kind: JsonTokenType.False } => false,
        { } value => throw _text.Error(value.Offset, $"\"{name}\"{In} is true or false"),
    };

    public int? Whole(string name, int least, int most)
    {
        if (Value(name) is not { } value)
        {
            return null;
        }

        return value.Kind == JsonTokenType.Number && int.TryParse(value.Text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number >= least && number <= most
            ? number
            : throw _text.Error(value.Offset, $"\"{name}\"{In} is a whole number from {least} to {most}");
    }

    /// <summary>Bytes.</summary>
    public long? Size(string name)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        return DiskSize.Parse(text) ?? throw Wrong(name, $"\"{text}\" is no size; write \"80GB\" (as on the label of a disk, by powers of 1000) or \"80GiB\" (by powers of 1024)");
    }

    /// <summary>An array of texts; a single text counts as one of them.</summary>
    public IReadOnlyList<string> Texts(string name) => Value(name) switch
    {
        null => [],
        { Kind: JsonTokenType.String } one => [_text.TextOf(one, $"\"{name}\"{In}")],
        { Kind: JsonTokenType.StartArray } many => [.. many.Items.Select((item, i) => _text.TextOf(item, $"\"{name}\"[{i}]{In}"))],
        { } other => throw _text.Error(other.Offset, $"\"{name}\"{In} is a list of texts, [ \"…\", \"…\" ]"),
    };

    /// <summary>An error that shows where the member is, or where its object is if it is not given.</summary>
    public DrException Wrong(string name, string what) => _text.Error(Value(name)?.Offset ?? _tree.Offset, what);

    /// <summary>Of Levenshtein, in any case; 1 for a member that is cut short.</summary>
    private static int Distance(string known, string given)
    {
        if (known.StartsWith(given, StringComparison.OrdinalIgnoreCase))
        {
            return 1;
        }

        (string one, string other) = (known.ToUpperInvariant(), given.ToUpperInvariant());
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (int i = 1; i <= one.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= other.Length; j++)
            {
                int changed = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }
}

/// <summary>The text of an answer file and its name, for messages.</summary>
internal sealed record AnswerText(string Name, byte[] Bytes)
{
    public DrException Error(long offset, string what) => JsonTree.Error(Name, Bytes, offset, what);

    /// <exception cref="DrException">It is not a text, or an empty one.</exception>
    public string TextOf(JsonTree value, string title) =>
        value.Kind != JsonTokenType.String ? throw Error(value.Offset, $"{title} is a text, \"…\"")
        : value.Text.Length == 0 ? throw Error(value.Offset, $"{title} is empty")
        : value.Text.Any(char.IsControl) ? throw Error(value.Offset, $"{title} has a control character in it")
        : value.Text;
}
