import { mavenReference } from "../supply/maven.js"
import type { Recipe } from "../supply/recipe.js"

/**
 * Debian's OpenJDK 21 and Maven. `headless`: no display libraries, which no build and no service here needs.
 * JAVA_HOME as in the public images, so that a Dockerfile written for those finds it.
 * The base has no folder for man pages, and Java's packages stop when they cannot link theirs.
 */
const home = "/opt/java/openjdk"
const linkHome = `mkdir -p /opt/java && ln -s /usr/lib/jvm/java-21-openjdk-$(dpkg --print-architecture) ${home}`

export const recipes: readonly Recipe[] = [
  {
    references: ["docker.io/library/eclipse-temurin:21-jre", "docker.io/library/eclipse-temurin:21-jre-noble"],
    provides: "Java 21 (runtime) from Debian's packages",
    expectedSeconds: 25,
    dockerfile: `RUN mkdir -p /usr/share/man/man1 && apt-get update \\
 && apt-get install -y --no-install-recommends openjdk-21-jre-headless \\
 && ${linkHome} \\
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
ENV JAVA_HOME=${home} LANG=C.UTF-8
CMD ["java", "-version"]
`,
    check: { command: ["sh", "-c", "$JAVA_HOME/bin/java -version 2>&1"], expect: /openjdk version "21\./ },
  },
  {
    references: [
      mavenReference,
      "docker.io/library/maven:3-eclipse-temurin-21",
      "docker.io/library/eclipse-temurin:21-jdk",
      "docker.io/library/eclipse-temurin:21",
    ],
    provides: "Java 21 and Maven 3.9 from Debian's packages",
    expectedSeconds: 40,
    dockerfile: `RUN mkdir -p /usr/share/man/man1 && apt-get update \\
 && apt-get install -y --no-install-recommends openjdk-21-jdk-headless maven \\
 && ${linkHome} \\
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
ENV JAVA_HOME=${home} LANG=C.UTF-8 MAVEN_CONFIG=/root/.m2
CMD ["mvn"]
`,
    check: {
      command: ["sh", "-c", "mvn --version && $JAVA_HOME/bin/javac -version"],
      expect: /Apache Maven 3\.9[\s\S]*javac 21\./,
    },
  },
]
