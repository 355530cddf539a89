using DR.Engine.Media;

namespace DR.Tests.Media;

public class ModaliasTests
{
    private const string Ahci = "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01";

    [Theory]
    [InlineData("pci:v*d*sv*sd*bc01sc06i01*", Ahci, true)]
    [InlineData("pci:v00008086d00002922sv*sd*bc*sc*i*", Ahci, true)]
    [InlineData("pci:v00008086d00002923sv*sd*bc*sc*i*", Ahci, false)]
    [InlineData("pci:v*d*sv*sd*bc01sc06i0", Ahci, false)]
    [InlineData("usb:v0781p558[1-3]d*dc*dsc*dp*ic*isc*ip*in*", "usb:v0781p5581d0100dc00dsc00dp00ic08isc06ip50in00", true)]
    [InlineData("usb:v0781p558[!1]d*dc*", "usb:v0781p5581d0100dc00dsc00dp00ic08isc06ip50in00", false)]
    [InlineData("usb:v*ic08isc0?ip50in*", "usb:v0781p5581d0100dc00dsc00dp00ic08isc06ip50in00", true)]
    [InlineData("*a*b*c", "xxaxxbxxc", true)]
    [InlineData("*a*b*c", "xxaxxbxxcx", false)]
    [InlineData("", "", true)]
    [InlineData("***", "", true)]
    public void A_pattern_covers_what_fnmatch_says(string pattern, string modalias, bool covers) =>
        Assert.Equal(covers, Modalias.Matches(pattern, modalias));

    [Theory]
    [InlineData(Ahci, ControllerKind.Storage, "PCI 8086:2922")]
    [InlineData("pci:v00001077d00002432sv00001077sd00000138bc0Csc04i00", ControllerKind.Storage, "PCI 1077:2432")]
    [InlineData("pci:v00001AF4d00001000sv00001AF4sd00000001bc02sc00i00", ControllerKind.Network, "PCI 1af4:1000")]
    [InlineData("pci:v00001B36d0000000Dsv00001AF4sd00001100bc0Csc03i30", ControllerKind.UsbBus, "PCI 1b36:000d")]
    [InlineData("pci:v00001234d00001111sv00001AF4sd00001100bc03sc00i00", ControllerKind.Other, "PCI 1234:1111")]
    [InlineData("usb:v0781p5581d0100dc00dsc00dp00ic08isc06ip50in00", ControllerKind.Storage, "USB 0781:5581")]
    [InlineData("usb:v0627p0001d0000dc00dsc00dp00ic03isc00ip00in00", ControllerKind.Other, "USB 0627:0001")]
    [InlineData("acpi:PNP0C0A:", ControllerKind.Other, "acpi:PNP0C0A:")]
    public void The_class_says_what_a_device_is_for(string modalias, ControllerKind kind, string name) =>
        Assert.Equal((kind, name), (Modalias.KindOf(modalias), Modalias.Name(modalias)));
}
