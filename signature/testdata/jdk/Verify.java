import java.io.ByteArrayInputStream;
import java.io.File;
import java.security.cert.CertificateFactory;
import java.util.Base64;
import javax.xml.crypto.KeySelector;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** Prints "FILE true" or "FILE false" for the first signature of each file, with the first certificate's key. */
public class Verify {
    public static void main(String[] files) throws Exception {
        DocumentBuilderFactory builders = DocumentBuilderFactory.newInstance();
        builders.setNamespaceAware(true);
        for (String file : files) {
            Document doc = builders.newDocumentBuilder().parse(new File(file));
            Element signature = (Element) doc.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature").item(0);
            String text = doc.getElementsByTagNameNS(XMLSignature.XMLNS, "X509Certificate").item(0).getTextContent();
            var certificate = CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(Base64.getMimeDecoder().decode(text)));
            var context = new DOMValidateContext(KeySelector.singletonKeySelector(certificate.getPublicKey()), signature);
            Element properties = (Element) doc.getElementsByTagNameNS("http://uri.etsi.org/01903/v1.3.2#", "SignedProperties").item(0);
            context.setIdAttributeNS(properties, null, "Id");
            System.out.println(file + " " + XMLSignatureFactory.getInstance("DOM").unmarshalXMLSignature(context).validate(context));
        }
    }
}
