using DR.Core.Primitives;

namespace DR.Tests.Layout;

public class Crc32Tests
{
    /// <summary>The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms.</summary>
    [Fact]
    public void Crc_of_the_nine_digits_is_the_published_one() =>
        Assert.Equal(0xCBF43926, Crc32.Compute("123456789"u8));
}
