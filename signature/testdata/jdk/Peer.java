import java.io.File;
import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.PSSParameterSpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.xml.crypto.KeySelector;
import javax.xml.crypto.dom.DOMCryptoContext;
import javax.xml.crypto.dom.DOMStructure;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.Transform;
import javax.xml.crypto.dsig.XMLObject;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.RSAPSSParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * javax.xml.crypto.dsig as a peer, for many files in one run.
 *
 * verify FILE…  prints "FILE true" or "FILE false" for the first signature of each file, with the first certificate's key.
 * sign LIST     signs what the lines of LIST say, separated by tabs: in, out, key (PKCS#8, PEM), certificate (PEM), kind of key,
 *               signature method, canonicalisation, reference ("", "#Id", or "#Id #o" with an Object o of its own), element that
 *               gets the signature.
 */
public class Peer {
    static final XMLSignatureFactory SIGNATURES = XMLSignatureFactory.getInstance("DOM");
    /** Other parameters than the defaults, which the JDK does not write. */
    static final RSAPSSParameterSpec PSS =
        new RSAPSSParameterSpec(new PSSParameterSpec("SHA-512", "MGF1", MGF1ParameterSpec.SHA512, 48, 1));

    public static void main(String[] args) throws Exception {
        if (args[0].equals("sign")) {
            for (String line : Files.readAllLines(Path.of(args[1]), StandardCharsets.UTF_8)) {
                sign(line.split("\t", -1));
            }
            return;
        }
        for (int i = 1; i < args.length; i++) {
            System.out.println(args[i] + " " + verify(args[i]));
        }
    }

    static Document parse(String file) throws Exception {
        DocumentBuilderFactory builders = DocumentBuilderFactory.newInstance();
        builders.setNamespaceAware(true);
        return builders.newDocumentBuilder().parse(new File(file));
    }

    static void nameIds(DOMCryptoContext context, Document doc) {
        NodeList all = doc.getElementsByTagNameNS("*", "*");
        for (int i = 0; i < all.getLength(); i++) {
            Element e = (Element) all.item(i);
            if (e.hasAttributeNS(null, "Id")) {
                context.setIdAttributeNS(e, null, "Id");
            }
        }
    }

    static boolean verify(String file) throws Exception {
        Document doc = parse(file);
        Element signature = (Element) doc.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature").item(0);
        String text = doc.getElementsByTagNameNS(XMLSignature.XMLNS, "X509Certificate").item(0).getTextContent();
        var certificate = CertificateFactory.getInstance("X.509")
            .generateCertificate(new java.io.ByteArrayInputStream(Base64.getMimeDecoder().decode(text)));
        var context = new DOMValidateContext(KeySelector.singletonKeySelector(certificate.getPublicKey()), signature);
        nameIds(context, doc);
        return SIGNATURES.unmarshalXMLSignature(context).validate(context);
    }

    static void sign(String[] what) throws Exception {
        Document doc = parse(what[0]);
        String pem = Files.readString(Path.of(what[2])).replaceAll("-----[A-Z ]+-----", "");
        PrivateKey key = KeyFactory.getInstance(what[4]).generatePrivate(new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(pem)));
        X509Certificate cert;
        try (var in = new FileInputStream(what[3])) {
            cert = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
        List<Reference> references = new ArrayList<>();
        List<XMLObject> objects = null;
        for (String reference : what[7].split(" ", -1)) {
            List<Transform> transforms = new ArrayList<>();
            if (reference.isEmpty()) {
                transforms.add(SIGNATURES.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null));
            }
            if (reference.equals("#o")) {
                objects = List.of(SIGNATURES.newXMLObject(List.of(new DOMStructure(doc.createTextNode("đối tượng\r\n"))), "o", null, null));
            }
            transforms.add(SIGNATURES.newTransform(what[6], (TransformParameterSpec) null));
            references.add(SIGNATURES.newReference(reference, SIGNATURES.newDigestMethod(DigestMethod.SHA256, null), transforms, null, null));
        }
        var info = SIGNATURES.newSignedInfo(
            SIGNATURES.newCanonicalizationMethod(what[6], (C14NMethodParameterSpec) null),
            SIGNATURES.newSignatureMethod(what[5], what[5].endsWith("#rsa-pss") ? PSS : null), references);
        var infos = SIGNATURES.getKeyInfoFactory();
        var keyInfo = infos.newKeyInfo(List.of(infos.newX509Data(List.of(cert))));
        var context = new DOMSignContext(key, doc.getElementsByTagNameNS("*", what[8]).item(0));
        nameIds(context, doc);
        SIGNATURES.newXMLSignature(info, keyInfo, objects, null, null).sign(context);
        TransformerFactory.newInstance().newTransformer().transform(new DOMSource(doc), new StreamResult(new File(what[1])));
    }
}
