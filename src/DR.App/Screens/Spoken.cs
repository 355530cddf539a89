using System.Globalization;
using DR.Core.Image;

namespace DR.App.Screens;

/// <summary>Times and places in words.</summary>
internal static class Spoken
{
    /// <summary>"0:05", "12:40", "3:02:11".</summary>
    public static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:00}");

    /// <summary>"/dev/sda partition 2 (ext4 "root")".</summary>
    public static string Space(Manifest manifest, int space)
    {
        if (manifest.Volumes.FirstOrDefault(v => v.Space == space) is { } volume)
        {
            return $"{manifest.NameOf(volume)} ({volume.Title})";
        }

        return manifest.Regions.FirstOrDefault(r => r.Space == space) is { } region ? $"{manifest.PathOf(region.Disk)} {region.Role}" : $"space {space}";
    }
}
