using System.Collections;

namespace DR.Core.Image;

/// <summary>
/// What is damaged or missing, in words. Holds the first <see cref="Limit"/> and counts the rest, since a damaged image may
/// have millions. Several threads may add; what is read is right once they have ended.
/// </summary>
internal sealed class LossList : IReadOnlyList<string>
{
    public const int Limit = 1000;

    private readonly List<string> _texts = [];
    private readonly Lock _lock = new();
    private long _more;

    public int Count => _texts.Count + (_more > 0 ? 1 : 0);

    public string this[int index] => index < _texts.Count || _more == 0 ? _texts[index] : $"and {_more} more losses";

    public void Add(string text)
    {
        lock (_lock)
        {
            if (_texts.Count < Limit)
            {
                _texts.Add(text);
            }
            else
            {
                _more++;
            }
        }
    }

    public void AddRange(LossList other)
    {
        other._texts.ForEach(Add);
        _more += other._more;
    }

    public IEnumerator<string> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
