package com.heikeji.order.api;

import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.startsWith;
import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.get;
import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.post;
import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.put;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.header;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.jsonPath;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.status;

import com.heikeji.order.OrderProperties;
import com.heikeji.order.OrderService;
import com.heikeji.order.Orders;
import com.heikeji.order.ShopProperties;
import com.heikeji.order.catalog.Catalog;
import com.heikeji.order.catalog.CatalogUnavailable;
import com.heikeji.order.catalog.OutOfStock;
import com.heikeji.order.catalog.Product;
import com.heikeji.order.support.MemoryOrders;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.availability.ApplicationAvailabilityAutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.test.autoconfigure.web.servlet.WebMvcTest;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.http.MediaType;
import org.springframework.test.web.servlet.MockMvc;
import org.springframework.test.web.servlet.ResultActions;

@ImportAutoConfiguration(ApplicationAvailabilityAutoConfiguration.class)
@WebMvcTest(properties = {"shop.commit=c0ffee", "shop.environment=unit", "shop.instance=order-1", "order.page-size=2"})
class ApiTest {

    @Autowired
    private MockMvc http;

    @Autowired
    private Orders orders;

    @Test
    void saysWhichBuildAnswers() throws Exception {
        http.perform(get("/version"))
                .andExpect(status().isOk())
                .andExpect(jsonPath("$.service").value("service-order"))
                .andExpect(jsonPath("$.commit").value("c0ffee"))
                .andExpect(jsonPath("$.environment").value("unit"))
                .andExpect(jsonPath("$.instance").value("order-1"));
    }

    @Test
    void placesReadsListsAndCancels() throws Exception {
        String location = place("TEA-1", "2")
                .andExpect(status().isCreated())
                .andExpect(header().string("Location", startsWith("/api/orders/")))
                .andExpect(jsonPath("$.totalCents").value(1980))
                .andReturn()
                .getResponse()
                .getHeader("Location");
        http.perform(get(location)).andExpect(jsonPath("$.status").value("CONFIRMED"));
        http.perform(post(location + "/cancel")).andExpect(jsonPath("$.status").value("CANCELLED"));

        place("TEA-1", "1");
        place("TEA-1", "1");
        http.perform(get("/api/orders"))
                .andExpect(jsonPath("$.size").value(2))
                .andExpect(jsonPath("$.items.length()").value(2))
                .andExpect(jsonPath("$.total").value(orders.count()));
    }

    @Test
    void tellsWhyAnOrderIsNotPlaced() throws Exception {
        expect(place("GONE-1", "1"), 409, "OUT_OF_STOCK");
        expect(place("NONE-1", "1"), 422, "UNKNOWN_PRODUCT");
        expect(place("AWAY-1", "1"), 503, "CATALOG_UNAVAILABLE").andExpect(header().string("Retry-After", "1"));
        expect(place("TEA-1", "0"), 400, "INVALID");
        expect(place("TEA-1", "1.5"), 400, "INVALID");
        expect(place("TEA-1", "\"many\""), 400, "INVALID");
    }

    @ParameterizedTest
    @ValueSource(strings = {"page=0", "page=x", "size=0", "size=101"})
    void refusesPagesThatCannotBe(String query) throws Exception {
        expect(http.perform(get("/api/orders?" + query)), 400, "INVALID");
    }

    @Test
    void answersNonsenseInTheSameForm() throws Exception {
        expect(http.perform(get("/api/orders/" + UUID.randomUUID())), 404, "NOT_FOUND");
        expect(http.perform(get("/api/orders/no-id")), 400, "INVALID");
        expect(http.perform(get("/nowhere")), 404, "NOT_FOUND");
        expect(http.perform(put("/api/orders")), 405, "METHOD_NOT_ALLOWED");
        expect(http.perform(post("/api/orders").content("x")), 415, "UNSUPPORTED_MEDIA_TYPE");
    }

    @Test
    void keepsWhatBrokeInsideToItself() throws Exception {
        expect(place("BUG-1", "1"), 500, "INTERNAL")
                .andExpect(jsonPath("$.error.message").value(containsString("the log says what")));
    }

    private ResultActions place(String sku, String quantity) throws Exception {
        String body = "{\"customer\":\"1001\",\"sku\":\"%s\",\"quantity\":%s}".formatted(sku, quantity);
        return http.perform(post("/api/orders").contentType(MediaType.APPLICATION_JSON).content(body));
    }

    private static ResultActions expect(ResultActions answer, int status, String code) throws Exception {
        return answer.andExpect(status().is(status)).andExpect(jsonPath("$.error.code").value(code));
    }

    /** The real service over orders in memory and a catalog whose products say by name how it behaves. */
    @TestConfiguration
    @EnableConfigurationProperties({OrderProperties.class, ShopProperties.class})
    static class Parts {

        @Bean
        Orders orders() {
            return new MemoryOrders();
        }

        @Bean
        OrderService service(Orders orders, OrderProperties properties) {
            return new OrderService(orders, new MoodyCatalog(), properties, new SimpleMeterRegistry(), Clock.systemUTC());
        }
    }

    private static final class MoodyCatalog implements Catalog {

        @Override
        public Optional<Product> product(String sku) {
            if (sku.startsWith("BUG")) {
                throw new IllegalStateException("the password is hunter2");
            }
            return sku.startsWith("NONE") ? Optional.empty() : Optional.of(new Product(sku, "茶", 990, "CNY", 1));
        }

        @Override
        public void reserve(String sku, UUID reference, int quantity) {
            if (sku.startsWith("GONE")) {
                throw new OutOfStock();
            }
            if (sku.startsWith("AWAY")) {
                throw new CatalogUnavailable("away", null);
            }
        }

        @Override
        public void release(UUID reference) {
            // Nothing was taken.
        }
    }
}
