using DR.Engine.Restore;
using DR.Engine.Unattended;

namespace DR.App.Screens;

/// <summary>An answer in words, line by line.</summary>
internal static class AnswerWords
{
    public static IEnumerable<string> Of(Answer answer)
    {
        yield return $"  image       {Image(answer.Image)}";
        for (int i = 0; i < answer.Targets.Count; i++)
        {
            var target = answer.Targets[i];
            yield return $"  target {i + 1}    {target.Words}, {(answer.LayOutAnew ? "laid out anew where that is needed" : $"for {target.For ?? $"disk {i + 1}"} of the image")}";
        }

        yield return $"  overwrite   {(answer.Overwrite.Count == 0 ? "nothing: only blank disks" : string.Join(", ", answer.Overwrite))}";
        yield return $"  grow        {(answer.Grow.Kind == GrowKind.Label ? $"\"{answer.Grow.Label}\"" : answer.Grow.Kind.ToString().ToLowerInvariant())}";
        yield return $"  proof       {(answer.VerifyFirst ? "the whole image is verified first; " : "")}{(answer.ReadBack ? "what is written is read back" : "what is written is NOT read back")}{(answer.AcceptInconsistent ? "; an inconsistent image is accepted" : "")}";
        yield return $"  network     {Network(answer.Network)}";
        yield return $"  countdown   {answer.Countdown} s";
        yield return $"  afterwards  {answer.Afterwards.ToString().ToLowerInvariant()}";
        yield return $"  report      {(answer.Report.Count == 0 ? "nowhere" : string.Join(", ", answer.Report))}";
    }

    private static string Image(AnswerImage image) => image switch
    {
        { Location: { } location } => location,
        { Search: { Name: null, HostName: null, Id: null } any } => any.Newest ? "the newest that is found" : "the only one that is found",
        { Search: { } search } => $"{(search.Newest ? "the newest" : "the only one")} with "
            + string.Join(", ", ((string?[])[Named("name", search.Name), Named("host name", search.HostName), Named("id", search.Id?.ToString())]).OfType<string>()),
        _ => "none",
    };

    private static string? Named(string what, string? value) => value is null ? null : $"{what} \"{value}\"";

    private static string Network(AnswerNetwork? network) => network is null ? "as it is"
        : (network.Dhcp ? "DHCP" : $"{network.Address}{(network.Gateway is null ? "" : $", gateway {network.Gateway}")}")
            + (network.Dns.Count == 0 ? "" : $", DNS {string.Join(' ', network.Dns)}")
            + (network.Vlan is { } vlan ? $", VLAN {vlan}" : "") + (network.Interface is null ? "" : $", on {network.Interface}");
}
