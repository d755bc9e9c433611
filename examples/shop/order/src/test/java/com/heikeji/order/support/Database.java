package com.heikeji.order.support;

import java.util.List;
import org.springframework.test.context.DynamicPropertyRegistry;

/** The real database that the environment names. A missing variable is an error: these tests never pass without one. */
public final class Database {

    private Database() {}

    public static void require() {
        List<String> missing = List.of("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD").stream()
                .filter(name -> System.getenv(name) == null)
                .toList();
        if (!missing.isEmpty()) {
            throw new IllegalStateException("The integration tests need a MariaDB: set " + missing);
        }
    }

    /** Each test class starts from an empty schema. */
    public static void fresh(DynamicPropertyRegistry registry) {
        require();
        registry.add("spring.flyway.clean-disabled", () -> "false");
    }
}
