package com.heikeji.order;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigurationTest {

    private final OrderProperties.Catalog catalog = new OrderProperties.Catalog(URI.create("http://catalog"), 1, 1);

    @Test
    void aWrongValueIsNamed() {
        assertThatIllegalArgumentException().isThrownBy(() -> new OrderProperties(0, 100, 10, catalog)).withMessageContaining("order.page-size");
        assertThatIllegalArgumentException().isThrownBy(() -> new OrderProperties(200, 100, 10, catalog)).withMessageContaining("order.page-size");
        assertThatIllegalArgumentException().isThrownBy(() -> new OrderProperties(20, 100, 0, catalog)).withMessageContaining("order.max-quantity");
        assertThatIllegalArgumentException().isThrownBy(() -> new ShopProperties.Shutdown(20, 10)).withMessageContaining("drain-seconds");
    }

    @Test
    void aConfigurationThatIsNamedMustBeThere(@TempDir Path folder) throws Exception {
        Path file = Files.createFile(folder.resolve("application.yml"));
        assertThatCode(() -> OrderApplication.requireConfiguration(file.toString())).doesNotThrowAnyException();
        assertThatCode(() -> OrderApplication.requireConfiguration(null)).doesNotThrowAnyException();
        assertThatThrownBy(() -> OrderApplication.requireConfiguration(folder.resolve("none.yml").toString()))
                .hasMessageContaining("none.yml");
    }
}
