import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.Source;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamSource;
import javax.xml.validation.Schema;
import javax.xml.validation.SchemaFactory;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * Holds instances against schemas as the JDK reads them. The first argument is the folder of the contract; each line of
 * the standard input is a schema and an instance, separated by a tab. A schema named *.wsdl stands for the schemas in
 * its types element, which is where an importer of the WSDL begins. Each line of the output is the instance, a tab, and
 * "valid" or what is wrong.
 */
public class Validate {
    public static void main(String[] args) throws Exception {
        Map<String, Schema> compiled = new HashMap<>();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            String[] pair = line.split("\t");
            if (!compiled.containsKey(pair[0])) {
                compiled.put(pair[0], compile(new File(args[0], pair[0])));
            }
            String verdict = "valid";
            try {
                compiled.get(pair[0]).newValidator().validate(new StreamSource(new File(pair[1])));
            } catch (SAXException e) {
                verdict = e.getMessage().replaceAll("\\s+", " ");
            }
            System.out.println(pair[1] + "\t" + verdict);
        }
    }

    /** Compiles a schema, with every check of the factory and without the network. */
    static Schema compile(File file) throws Exception {
        SchemaFactory factory = SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI);
        factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
        factory.setFeature("http://apache.org/xml/features/validation/schema-full-checking", true);
        factory.setProperty(XMLConstants.ACCESS_EXTERNAL_DTD, "");
        factory.setProperty(XMLConstants.ACCESS_EXTERNAL_SCHEMA, "file");
        if (!file.getName().endsWith(".wsdl")) {
            return factory.newSchema(file);
        }
        DocumentBuilderFactory builders = DocumentBuilderFactory.newInstance();
        builders.setNamespaceAware(true);
        Document wsdl = builders.newDocumentBuilder().parse(file);
        NodeList schemas = wsdl.getElementsByTagNameNS(XMLConstants.W3C_XML_SCHEMA_NS_URI, "schema");
        List<Source> sources = new ArrayList<>();
        for (int i = 0; i < schemas.getLength(); i++) {
            // Nothing is found beside a base whose accents are not escaped.
            sources.add(new DOMSource(schemas.item(i), file.toURI().toASCIIString()));
        }
        return factory.newSchema(sources.toArray(new Source[0]));
    }
}
