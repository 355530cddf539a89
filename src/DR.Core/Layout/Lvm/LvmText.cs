using System.Globalization;
using System.Text;
using DR.Core.Primitives;

namespace DR.Core.Layout.Lvm;

/// <summary>A value of LVM's metadata text.</summary>
internal abstract record LvmValue;

/// <summary>A number, as it is written.</summary>
internal sealed record LvmNumber(string Text) : LvmValue
{
    public LvmNumber(long value)
        : this(value.ToString(CultureInfo.InvariantCulture))
    {
    }
}

internal sealed record LvmString(string Text) : LvmValue;

internal sealed record LvmList(IReadOnlyList<LvmValue> Items) : LvmValue;

/// <summary>Names and their values in the order in which they are written.</summary>
internal sealed record LvmSection(IReadOnlyList<KeyValuePair<string, LvmValue>> Entries) : LvmValue
{
    public LvmValue? this[string name] => Entries.FirstOrDefault(e => e.Key == name).Value;

    public IEnumerable<KeyValuePair<string, LvmSection>> Sections =>
        Entries.Where(e => e.Value is LvmSection).Select(e => KeyValuePair.Create(e.Key, (LvmSection)e.Value));

    /// <summary>Another section in which the name has this value, at its old place or behind all others.</summary>
    public LvmSection With(string name, LvmValue value) => new([
        .. Entries.Select(e => e.Key == name ? KeyValuePair.Create(name, value) : e),
        .. Entries.Any(e => e.Key == name) ? [] : (KeyValuePair<string, LvmValue>[])[KeyValuePair.Create(name, value)],
    ]);
}

/// <summary>
/// The text in which LVM2 keeps a volume group: <c>name = value</c>, <c>name { … }</c>, lists in brackets, strings in
/// quotes with backslashes, comments from # to the end of the line (lvm.conf(5)). Bounded: what is larger or deeper than any
/// volume group is refused.
/// </summary>
internal ref struct LvmText
{
    /// <summary>Bytes of a text; LVM itself keeps two of them in an area of 1 MiB unless told otherwise.</summary>
    public const int MaxLength = 16 << 20;

    private const int MaxDepth = 16;
    private const int MaxValues = 2_000_000;

    private readonly string _where;
    private readonly ReadOnlySpan<char> _text;
    private int _at;
    private int _values;

    private LvmText(ReadOnlySpan<char> text, string where)
    {
        _text = text;
        _where = where;
    }

    /// <param name="where">The object for error messages.</param>
    /// <exception cref="CorruptDataException">It is no such text.</exception>
    public static LvmSection Parse(string text, string where)
    {
        var parser = new LvmText(text.AsSpan().TrimEnd('\0'), where);
        if (text.Length > MaxLength)
        {
            throw parser.Corrupt($"its {text.Length} characters are more than any volume group needs");
        }

        return parser.Section(0);
    }

    /// <summary>The text as LVM writes it, which boot loaders read too.</summary>
    public static string Write(LvmSection root)
    {
        var text = new StringBuilder();
        Write(text, root);
        return text.ToString();
    }

    private LvmSection Section(int depth)
    {
        if (depth > MaxDepth)
        {
            throw Corrupt($"sections lie more than {MaxDepth} deep");
        }

        var entries = new List<KeyValuePair<string, LvmValue>>();
        var names = new HashSet<string>();
        while (Next() is var next && next != '\0' && next != '}')
        {
            string name = Word();
            if (!names.Add(name))
            {
                throw Corrupt($"\"{name}\" is there twice");
            }

            entries.Add(KeyValuePair.Create(name, Assigned(depth)));
        }

        if ((depth > 0) != (Next() == '}'))
        {
            throw Corrupt(depth > 0 ? "a section has no end" : "there is a } too many");
        }

        return new LvmSection(entries);
    }

    private LvmValue Assigned(int depth)
    {
        char next = Next();
        if (next == '{')
        {
            _at++;
            var section = Section(depth + 1);
            _at++;
            return section;
        }

        if (next != '=')
        {
            throw Corrupt("there is neither = nor { behind a name");
        }

        _at++;
        return Value(depth);
    }

    private LvmValue Value(int depth)
    {
        if (++_values > MaxValues)
        {
            throw Corrupt($"it has more than {MaxValues} values");
        }

        char next = Next();
        return next switch
        {
            '[' => List(depth + 1),
            '"' or '\'' => Quoted(next),
            _ => new LvmNumber(Word()),
        };
    }

    private LvmList List(int depth)
    {
        if (depth > MaxDepth)
        {
            throw Corrupt($"lists lie more than {MaxDepth} deep");
        }

        var items = new List<LvmValue>();
        _at++;
        while (Next() != ']')
        {
            items.Add(Value(depth));
            char next = Next();
            if (next == ',')
            {
                _at++;
            }
            else if (next != ']')
            {
                throw Corrupt("a list has no end");
            }
        }

        _at++;
        return new LvmList(items);
    }

    private LvmString Quoted(char quote)
    {
        var text = new StringBuilder();
        for (_at++; _at < _text.Length; _at++)
        {
            char c = _text[_at];
            if (c == quote)
            {
                _at++;
                return new LvmString(text.ToString());
            }

            if (c == '\\' && quote == '"' && _at + 1 < _text.Length)
            {
                c = _text[++_at];
            }

            text.Append(c);
        }

        throw Corrupt("a string has no end");
    }

    private string Word()
    {
        int start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || "_.+-/@:".Contains(_text[_at])))
        {
            _at++;
        }

        return _at > start ? _text[start.._at].ToString() : throw Corrupt("there is a character that begins nothing");
    }

    /// <summary>The next character that is neither blank nor in a comment; NUL at the end.</summary>
    private char Next()
    {
        for (; _at < _text.Length; _at++)
        {
            if (_text[_at] == '#')
            {
                int line = _text[_at..].IndexOf('\n');
                _at = line < 0 ? _text.Length - 1 : _at + line;
            }
            else if (!char.IsWhiteSpace(_text[_at]))
            {
                return _text[_at];
            }
        }

        return '\0';
    }

    private readonly CorruptDataException Corrupt(string problem) => new($"{_where}, character {_at}", problem);

    private static void Write(StringBuilder text, LvmSection section)
    {
        foreach (var (name, value) in section.Entries)
        {
            if (value is LvmSection inner)
            {
                text.Append(text.Length > 0 ? "\n" : "").Append(name).Append(" {\n");
                Write(text, inner);
                text.Append("}\n");
            }
            else
            {
                text.Append(name).Append(" = ").Append(Plain(value)).Append('\n');
            }
        }
    }

    private static string Plain(LvmValue value) => value switch
    {
        LvmNumber number => number.Text,
        LvmString quoted => $"\"{quoted.Text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"",
        LvmList list => $"[{string.Join(", ", list.Items.Select(Plain))}]",
        _ => throw new ArgumentOutOfRangeException(nameof(value)),
    };
}
