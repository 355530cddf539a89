namespace DR.Core.Layout;

/// <summary>Gathers what a reading of the tables finds. The same sentence is kept once.</summary>
internal sealed class LayoutFindings
{
    private readonly List<string> _warnings = [];
    private readonly List<string> _errors = [];
    private readonly HashSet<string> _known = [];

    public IReadOnlyList<string> Warnings => _warnings;

    public IReadOnlyList<string> Errors => _errors;

    public void Warn(string sentence) => Add(_warnings, sentence);

    /// <summary>Notes something that has to stop a capture.</summary>
    public void Refuse(string sentence) => Add(_errors, sentence);

    private void Add(List<string> list, string sentence)
    {
        if (_known.Add(sentence))
        {
            list.Add(sentence);
        }
    }
}
