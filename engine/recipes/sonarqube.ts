import type { Recipe } from "../supply/recipe.js"

/** Community Build, by its calendar version YY.M.0.build. */
export const sonarqubeVersion = "26.9.0.129388"
export const sonarqubeReference = `docker.io/library/sonarqube:${sonarqubeVersion}-community`

/** The scanner, and the tag of its image (image version, underscore, scanner version). */
export const scannerVersion = "8.1.0.6389"
export const scannerReference = "docker.io/sonarsource/sonar-scanner-cli:12.2.0.4256_8.1.0"

/**
 * SonarQube and its scanner from Maven Central, on Debian's Java 21, laid out as the public images are. No Node.js: the
 * JavaScript analyser brings its own, and Debian's is too old for it. The base has no folder for man pages, and Java's
 * packages stop when they cannot link theirs.
 */
export const recipes: readonly Recipe[] = [
  {
    references: [sonarqubeReference],
    provides: `SonarQube ${sonarqubeVersion} from Maven Central, on Debian's Java 21`,
    expectedSeconds: 80,
    // The archive stays behind in a stage of its own: it would double the image.
    dockerfile: `FROM parent AS unpacked
RUN apt-get update && apt-get install -y --no-install-recommends unzip
COPY sonarqube.zip /tmp/
RUN unzip -q /tmp/sonarqube.zip -d /opt && rm /tmp/sonarqube.zip && mv /opt/sonarqube-* /opt/sonarqube && cd /opt/sonarqube \\
 && rm -rf bin/* && ln -s sonar-application-${sonarqubeVersion}.jar lib/sonarqube.jar \\
 && mkdir -p data extensions logs temp && chmod 770 data extensions logs temp
FROM parent
RUN mkdir -p /usr/share/man/man1 && apt-get update && apt-get install -y --no-install-recommends openjdk-21-jre-headless \\
 && rm -rf /var/lib/apt/lists/* && useradd --system --uid 1000 --gid 0 --home-dir /opt/sonarqube sonarqube
COPY --from=unpacked --chown=1000:0 /opt/sonarqube /opt/sonarqube
ENV SONARQUBE_HOME=/opt/sonarqube ES_TMPDIR=/opt/sonarqube/temp
VOLUME ["/opt/sonarqube/data", "/opt/sonarqube/extensions", "/opt/sonarqube/logs", "/opt/sonarqube/temp"]
WORKDIR /opt/sonarqube
EXPOSE 9000
USER sonarqube
STOPSIGNAL SIGINT
ENTRYPOINT ["java", "-jar", "lib/sonarqube.jar", "-Dsonar.log.console=true"]
`,
    files: async (tools) => ({
      "sonarqube.zip": {
        path: await tools.maven({
          artifact: `org.sonarsource.sonarqube:sonar-application:${sonarqubeVersion}:zip`,
          sha256: "b7306f5ecfa6806753bc0eb0dc4ea11fe0ddd2c5a346592718814d6ec35b88cb",
          bytes: 946_639_592,
          title: `SonarQube ${sonarqubeVersion}`,
        }),
      },
    }),
    check: {
      command: [
        "sh",
        "-c",
        "java -version 2>&1; ls -L lib/sonarqube.jar lib/sonar-application-*.jar; test -w data && id -un",
      ],
      expect: new RegExp(`version "21[^]*sonar-application-${sonarqubeVersion}\\.jar[^]*sonarqube\\s*$`),
    },
  },
  {
    references: [scannerReference],
    provides: `SonarScanner ${scannerVersion} from Maven Central, on Debian's Java 21`,
    expectedSeconds: 40,
    dockerfile: `RUN mkdir -p /usr/share/man/man1 && apt-get update \\
 && apt-get install -y --no-install-recommends openjdk-21-jre-headless git unzip \\
 && rm -rf /var/lib/apt/lists/* && useradd --system --uid 1000 --user-group scanner-cli
COPY scanner.zip /tmp/
RUN unzip -q /tmp/scanner.zip -d /opt && rm /tmp/scanner.zip && mv /opt/sonar-scanner-* /opt/sonar-scanner \\
 && mkdir -p /usr/src /opt/sonar-scanner/.sonar/cache /tmp/.scannerwork \\
 && chown -R scanner-cli:scanner-cli /usr/src /opt/sonar-scanner/.sonar /tmp/.scannerwork
ENV HOME=/tmp SONAR_SCANNER_HOME=/opt/sonar-scanner SONAR_USER_HOME=/opt/sonar-scanner/.sonar \\
    PATH=/opt/sonar-scanner/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER scanner-cli
WORKDIR /usr/src
CMD ["sonar-scanner"]
`,
    files: async (tools) => ({
      "scanner.zip": {
        path: await tools.maven({
          artifact: `org.sonarsource.scanner.cli:sonar-scanner-cli:${scannerVersion}:zip`,
          sha256: "ab76ab3c360025e9108be5b55be066f304a164f8b2850d2f2f333915db51bc1b",
          bytes: 9_224_839,
          title: `SonarScanner ${scannerVersion}`,
        }),
      },
    }),
    check: {
      command: ["sh", "-c", "sonar-scanner --version 2>&1; git --version"],
      expect: new RegExp(`SonarScanner CLI ${scannerVersion}[^]*git version`),
    },
  },
]
