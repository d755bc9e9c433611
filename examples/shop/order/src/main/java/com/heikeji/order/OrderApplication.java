package com.heikeji.order;

import java.nio.file.Files;
import java.nio.file.Path;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;

@SpringBootApplication
@ConfigurationPropertiesScan
public class OrderApplication {

    public static void main(String[] args) {
        requireConfiguration(System.getenv("GANTRY_CONFIG"));
        SpringApplication.run(OrderApplication.class, args);
    }

    /** A configuration that is named but not there must not become the defaults silently. */
    static void requireConfiguration(String path) {
        if (path != null && !path.isBlank() && !Files.isReadable(Path.of(path))) {
            throw new IllegalStateException("GANTRY_CONFIG names a file that cannot be read: " + path);
        }
    }
}
