import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;

/** Makes a truststore of a PEM bundle, for Java's tools: {@code java Truststore.java <bundle.pem> <truststore.p12>}. */
class Truststore {
    public static void main(String[] args) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (var bundle = new FileInputStream(args[0])) {
            int number = 0;
            for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(bundle)) {
                store.setCertificateEntry("ca-" + number++, certificate);
            }
        }
        try (var file = new FileOutputStream(args[1])) {
            store.store(file, "changeit".toCharArray());
        }
    }
}
