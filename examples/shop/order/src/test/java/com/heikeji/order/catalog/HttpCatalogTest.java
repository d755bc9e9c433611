package com.heikeji.order.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.heikeji.order.OrderProperties;
import com.heikeji.order.support.FakeCatalog;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.web.client.RestClient;

class HttpCatalogTest {

    private final FakeCatalog fake = new FakeCatalog();
    private final HttpCatalog catalog = client(fake.url(), 10_000);
    private final UUID reference = UUID.randomUUID();

    private static HttpCatalog client(URI url, int timeoutMs) {
        return new HttpCatalog(
                RestClient.builder(),
                new OrderProperties(20, 100, 10, new OrderProperties.Catalog(url, timeoutMs, timeoutMs)));
    }

    @BeforeEach
    void fill() {
        fake.stock("TEA-1", 3);
    }

    @AfterEach
    void close() {
        fake.close();
    }

    @Test
    void readsAProductAndIgnoresWhatItDoesNotKnow() {
        assertThat(catalog.product("TEA-1")).contains(new Product("TEA-1", "茶", 990, "CNY", 3));
        assertThat(catalog.product("TEA-9")).isEmpty();
    }

    @Test
    void reservesAndReleases() {
        catalog.reserve("TEA-1", reference, 2);
        assertThat(fake.stock("TEA-1")).isEqualTo(1);
        catalog.release(reference);
        assertThat(fake.stock("TEA-1")).isEqualTo(3);
        assertThatCode(() -> catalog.release(reference)).doesNotThrowAnyException();
    }

    @Test
    void tellsThatThereIsTooLittle() {
        assertThatThrownBy(() -> catalog.reserve("TEA-1", reference, 4)).isInstanceOf(OutOfStock.class);
        assertThatThrownBy(() -> catalog.reserve("TEA-9", reference, 1)).isInstanceOf(OutOfStock.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 503, 502})
    void asksASecondTimeWhenThereWasNoAnswer(int fault) {
        fake.fail("POST", fault, 1);
        catalog.reserve("TEA-1", reference, 2);
        assertThat(fake.stock("TEA-1")).isEqualTo(1);
        assertThat(fake.requests).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 503})
    void givesUpAfterTheSecondTime(int fault) {
        fake.fail("POST", fault, 9);
        assertThatThrownBy(() -> catalog.reserve("TEA-1", reference, 2)).isInstanceOf(CatalogUnavailable.class);
        assertThat(fake.requests).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 400})
    void doesNotRepeatWhatWasAnswered(int fault) {
        fake.fail("POST", fault, 9);
        assertThatThrownBy(() -> catalog.reserve("TEA-1", reference, 2)).isInstanceOf(CatalogUnavailable.class);
        assertThat(fake.requests).hasSize(1);
    }

    @Test
    void waitsNoLongerThanItsTimeout() throws IOException {
        // Takes connections into its backlog and never answers.
        try (ServerSocket silent = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
            HttpCatalog patient = client(URI.create("http://127.0.0.1:" + silent.getLocalPort()), 500);
            long start = System.nanoTime();
            assertThatThrownBy(() -> patient.product("TEA-1")).isInstanceOf(CatalogUnavailable.class);
            assertThat((System.nanoTime() - start) / 1_000_000).isBetween(900L, 30_000L);
        }
    }
}
