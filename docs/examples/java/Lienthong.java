import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.io.ByteArrayInputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * A client of a lienthong node in one file, with JDK 17 alone.
 *
 * <pre>
 * java Lienthong.java send HEADER.json FILE…   hand a document over, wait until it is sent
 * java Lienthong.java receive FOLDER           take everything that waits, report 03 and 06
 * </pre>
 *
 * LIENTHONG_API is the address of the node, LIENTHONG_TOKEN a token with the
 * scopes submit, receive and read.
 */
public class Lienthong {
    private final HttpClient http = HttpClient.newHttpClient();
    private final String api = System.getenv("LIENTHONG_API");
    private final String token = System.getenv("LIENTHONG_TOKEN");

    /** A refusal (RFC 9457). */
    static class Problem extends IOException {
        Problem(Map<?, ?> p) {
            super(p.get("code") + ": " + ((Map<?, ?>) p.get("message")).get("vi") + " "
                    + ((Map<?, ?>) p.get("remedy")).get("vi") + "\n  " + p.get("detail"));
        }
    }

    public static void main(String[] args) throws Exception {
        try {
            if (args.length >= 2 && args[0].equals("send")) {
                List<Path> files = new ArrayList<>();
                for (int i = 1; i < args.length; i++) files.add(Path.of(args[i]));
                new Lienthong().send(files);
            } else if (args.length == 2 && args[0].equals("receive")) {
                new Lienthong().receive(Path.of(args[1]));
            } else {
                System.err.println("java Lienthong.java send HEADER.json FILE… | receive FOLDER");
                System.exit(2);
            }
        } catch (IOException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(api + path)).header("Authorization", "Bearer " + token);
    }

    /** Makes a request and reads the JSON of its answer, null when there is none. */
    private Map<?, ?> call(HttpRequest r) throws IOException, InterruptedException {
        HttpResponse<String> resp = http.send(r, BodyHandlers.ofString(StandardCharsets.UTF_8));
        if (resp.statusCode() == 204) return null;
        Map<?, ?> body = (Map<?, ?>) new Json(resp.body()).value();
        if (resp.statusCode() >= 400) throw new Problem(body);
        return body;
    }

    private Map<?, ?> get(String path) throws IOException, InterruptedException {
        return call(request(path).GET().build());
    }

    private Map<?, ?> post(String path, String json) throws IOException, InterruptedException {
        return call(request(path).header("Content-Type", "application/json").POST(BodyPublishers.ofString(json)).build());
    }

    private void send(List<Path> files) throws Exception {
        String boundary = UUID.randomUUID().toString();
        Map<?, ?> answer = call(request("/v1/outbox")
                .header("Content-Type", "multipart/form-data; boundary=" + boundary)
                .header("Idempotency-Key", digest(files))
                .POST(form(boundary, files)).build());
        String id = (String) ((Map<?, ?>) answer.get("transfer")).get("id");
        System.out.println("accepted " + id);
        while (true) {
            String state = (String) get("/v1/outbox/" + id).get("state");
            if (state.equals("sent")) break;
            if (state.equals("failed")) throw new IOException((String) get("/v1/outbox/" + id + "/why").get("vi"));
            Thread.sleep(1000);
        }
        System.out.println("sent " + id);
    }

    /** The key of a document: after a lost answer the same document goes again under the same key. */
    private static String digest(List<Path> files) throws Exception {
        MessageDigest sum = MessageDigest.getInstance("SHA-256");
        byte[] buffer = new byte[1 << 16];
        for (Path file : files) {
            try (InputStream in = Files.newInputStream(file)) {
                for (int n; (n = in.read(buffer)) > 0; ) sum.update(buffer, 0, n);
            }
        }
        return HexFormat.of().formatHex(sum.digest());
    }

    /** The form, header first, then the files; it is read as it goes out. */
    private static BodyPublisher form(String boundary, List<Path> files) {
        return BodyPublishers.ofInputStream(() -> {
            List<InputStream> parts = new ArrayList<>();
            try {
                for (int i = 0; i < files.size(); i++) {
                    String name = files.get(i).getFileName().toString().replace("\\", "\\\\").replace("\"", "\\\"");
                    String disposition = i == 0 ? "name=\"header\"" : "name=\"file\"; filename=\"" + name + "\"";
                    parts.add(text((i == 0 ? "" : "\r\n") + "--" + boundary + "\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n"));
                    parts.add(Files.newInputStream(files.get(i)));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            parts.add(text("\r\n--" + boundary + "--\r\n"));
            return new SequenceInputStream(Collections.enumeration(parts));
        });
    }

    private static InputStream text(String s) {
        return new ByteArrayInputStream(s.getBytes(StandardCharsets.UTF_8));
    }

    private void receive(Path folder) throws Exception {
        Map<?, ?> taken;
        while ((taken = post("/v1/inbox/lease", "{\"seconds\":300}")) != null) {
            Map<?, ?> t = (Map<?, ?>) taken.get("transfer");
            String path = "/v1/inbox/" + t.get("id");
            Path to = Files.createDirectories(folder.resolve((String) t.get("id")));
            List<?> parts = t.get("parts") == null ? List.of() : (List<?>) t.get("parts");
            for (int i = 0; i < parts.size(); i++) {
                // The name is what the sender wrote: never a path.
                String name = ((String) ((Map<?, ?>) parts.get(i)).get("name")).replaceAll(".*[/\\\\]", "");
                HttpResponse<Path> file = http.send(request(path + "/files/" + i).GET().build(),
                        BodyHandlers.ofFile(to.resolve((i + 1) + "-" + name)));
                if (file.statusCode() != 200) throw new IOException("file " + i + ": HTTP " + file.statusCode());
            }
            post(path + "/done", "{\"lease\":\"" + taken.get("lease") + "\"}");
            for (String code : List.of("03", "06")) {
                post(path + "/status", "{\"code\":\"" + code + "\",\"staffInfo\":{\"staff\":\"Văn thư\"}}");
            }
            System.out.println("received " + t.get("id") + ": " + t.get("subject"));
        }
    }

    /** JSON, as far as a client of the node needs it. */
    static class Json {
        private final String s;
        private int at;

        Json(String s) { this.s = s; }

        Object value() {
            space();
            switch (s.charAt(at)) {
                case '{': {
                    Map<String, Object> all = new LinkedHashMap<>();
                    for (at++, space(); s.charAt(at) != '}'; comma()) {
                        String key = string();
                        space();
                        at++; // the colon
                        all.put(key, value());
                    }
                    at++;
                    return all;
                }
                case '[': {
                    List<Object> all = new ArrayList<>();
                    for (at++, space(); s.charAt(at) != ']'; comma()) all.add(value());
                    at++;
                    return all;
                }
                case '"':
                    return string();
                default: {
                    int from = at;
                    while (at < s.length() && ",]} \t\r\n".indexOf(s.charAt(at)) < 0) at++;
                    String word = s.substring(from, at);
                    switch (word) {
                        case "null": return null;
                        case "true": return true;
                        case "false": return false;
                        default: return Double.valueOf(word);
                    }
                }
            }
        }

        private void space() {
            while (at < s.length() && Character.isWhitespace(s.charAt(at))) at++;
        }

        private void comma() {
            space();
            if (s.charAt(at) == ',') at++;
            space();
        }

        private String string() {
            StringBuilder b = new StringBuilder();
            for (at++; s.charAt(at) != '"'; at++) {
                char c = s.charAt(at);
                if (c != '\\') {
                    b.append(c);
                    continue;
                }
                c = s.charAt(++at);
                int plain = "bfnrt".indexOf(c);
                if (c == 'u') {
                    b.append((char) Integer.parseInt(s.substring(at + 1, at + 5), 16));
                    at += 4;
                } else {
                    b.append(plain < 0 ? c : "\b\f\n\r\t".charAt(plain));
                }
            }
            at++;
            return b.toString();
        }
    }
}
