using System.Text;
using System.Text.Json;
using DR.Core.Primitives;

namespace DR.Engine.Unattended;

/// <summary>A value of a JSON text that knows where it stands, so that what is wrong with it can be shown.</summary>
/// <param name="Text">Strings and numbers; "true", "false", "null".</param>
/// <param name="Members">Objects; no name twice.</param>
/// <param name="Items">Arrays.</param>
/// <param name="Offset">Bytes from the start of the text.</param>
internal sealed record JsonTree(
    JsonTokenType Kind, string Text, IReadOnlyDictionary<string, (long Offset, JsonTree Value)> Members, IReadOnlyList<JsonTree> Items, long Offset)
{
    private const int MaxDepth = 16;

    private static readonly Dictionary<string, (long Offset, JsonTree Value)> NoMembers = [];

    /// <summary>Comments and trailing commas are passed over.</summary>
    /// <exception cref="DrException">It is no JSON, or names a member twice; with line and column.</exception>
    public static JsonTree Parse(string name, ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = MaxDepth });
        try
        {
            if (!reader.Read())
            {
                throw Error(name, text, 0, "the file is empty");
            }

            var tree = Value(ref reader, name, text);
            reader.Read();
            return tree;
        }
        catch (JsonException e)
        {
            string message = e.Message.Split(" LineNumber:")[0].TrimEnd('.');
            throw new DrException(Failure.Usage, $"{name}, line {e.LineNumber + 1}, column {e.BytePositionInLine + 1}: {message}", e);
        }
        catch (InvalidOperationException e)
        {
            throw Error(name, text, reader.TokenStartIndex, "the text is not valid UTF-8", e);
        }
    }

    /// <summary>"answer.json, line 3, column 5: what".</summary>
    public static DrException Error(string name, ReadOnlySpan<byte> text, long offset, string what, Exception? inner = null)
    {
        var before = text[..(int)offset];
        int line = 1 + before.Count((byte)'\n');
        int column = 1 + Encoding.UTF8.GetCharCount(before[(before.LastIndexOf((byte)'\n') + 1)..]);
        return new DrException(Failure.Usage, $"{name}, line {line}, column {column}: {what}", inner);
    }

    private static JsonTree Value(ref Utf8JsonReader reader, string name, ReadOnlySpan<byte> text)
    {
        long offset = reader.TokenStartIndex;
        return reader.TokenType switch
        {
            JsonTokenType.StartObject => new JsonTree(JsonTokenType.StartObject, "", MembersOf(ref reader, name, text), [], offset),
            JsonTokenType.StartArray => new JsonTree(JsonTokenType.StartArray, "", NoMembers, ItemsOf(ref reader, name, text), offset),
            JsonTokenType.String => new JsonTree(JsonTokenType.String, reader.GetString()!, NoMembers, [], offset),
            _ => new JsonTree(reader.TokenType, Encoding.UTF8.GetString(reader.ValueSpan), NoMembers, [], offset),
        };
    }

    private static Dictionary<string, (long Offset, JsonTree Value)> MembersOf(ref Utf8JsonReader reader, string name, ReadOnlySpan<byte> text)
    {
        var members = new Dictionary<string, (long, JsonTree)>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            long offset = reader.TokenStartIndex;
            string member = reader.GetString()!;
            reader.Read();
            if (!members.TryAdd(member, (offset, Value(ref reader, name, text))))
            {
                throw Error(name, text, offset, $"\"{member}\" is said twice");
            }
        }

        return members;
    }

    private static List<JsonTree> ItemsOf(ref Utf8JsonReader reader, string name, ReadOnlySpan<byte> text)
    {
        var items = new List<JsonTree>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(Value(ref reader, name, text));
        }

        return items;
    }
}
