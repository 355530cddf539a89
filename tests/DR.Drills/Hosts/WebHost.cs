using System.Diagnostics;

namespace DR.Drills.Hosts;

/// <summary>nginx. Serves a folder over HTTP, or over HTTPS with a certificate for "localhost" and the host as QEMU's guests see it.</summary>
internal sealed class WebHost : HostProcess
{
    private readonly string _scheme;

    /// <param name="served">Readable by every account.</param>
    /// <param name="tls">Makes an authority, in <see cref="CaFile"/>, and a certificate of it.</param>
    /// <param name="settings">Further lines for the server block, such as "max_ranges 0;".</param>
    public WebHost(string served, bool tls = false, string settings = "")
    {
        _scheme = tls ? "https" : "http";
        if (tls)
        {
            MakeCertificates();
        }

        Start("/usr/sbin/nginx", port =>
        {
            File.WriteAllText(PathOf("nginx.conf"), Configuration(served, port, tls, settings));
            return ["-c", PathOf("nginx.conf"), "-e", PathOf("error.log")];
        });
    }

    /// <summary>What a client has to trust.</summary>
    public string CaFile => PathOf("ca.pem");

    public string AddressOf(string name, string host = "localhost") => $"{_scheme}://{host}:{Port}/{name}";

    /// <summary>A line of a password file for "auth_basic_user_file".</summary>
    public string PasswordFile(string user, string password)
    {
        File.WriteAllText(PathOf("users"), $"{user}:{{PLAIN}}{password}\n");
        return PathOf("users");
    }

    private string Configuration(string served, int port, bool tls, string settings) => $$"""
        daemon off;
        master_process off;
        user root;
        pid {{PathOf("nginx.pid")}};
        events { worker_connections 64; }
        http {
            access_log {{PathOf("access.log")}};
            client_body_temp_path {{PathOf("body")}};
            proxy_temp_path {{PathOf("proxy")}};
            fastcgi_temp_path {{PathOf("fastcgi")}};
            uwsgi_temp_path {{PathOf("uwsgi")}};
            scgi_temp_path {{PathOf("scgi")}};
            server {
                listen {{port}}{{(tls ? " ssl" : "")}};
                {{(tls ? $"ssl_certificate {PathOf("server.pem")}; ssl_certificate_key {PathOf("server.key")};" : "")}}
                root {{served}};
                {{settings.Replace("$folder", Folder, StringComparison.Ordinal)}}
            }
        }
        """;

    private void MakeCertificates()
    {
        OpenSsl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=DR test authority", "-keyout", PathOf("ca.key"), "-out", CaFile);
        OpenSsl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", PathOf("server.key"), "-out", PathOf("server.csr"));
        File.WriteAllText(PathOf("names"), "subjectAltName=DNS:localhost,IP:10.0.2.2\n");
        OpenSsl("x509", "-req", "-in", PathOf("server.csr"), "-CA", CaFile, "-CAkey", PathOf("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", PathOf("names"), "-out", PathOf("server.pem"));
    }

    private static void OpenSsl(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/openssl", arguments) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"openssl {arguments[0]}: {error}");
        }
    }
}
