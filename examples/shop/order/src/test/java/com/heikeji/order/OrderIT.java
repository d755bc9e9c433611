package com.heikeji.order;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.heikeji.order.support.Database;
import com.heikeji.order.support.FakeCatalog;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.autoconfigure.actuate.observability.AutoConfigureObservability;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.client.TestRestTemplate;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** The whole service over a real MariaDB and a catalog behind a real socket. */
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
@AutoConfigureObservability
class OrderIT {

    private static final FakeCatalog CATALOG = new FakeCatalog();

    @DynamicPropertySource
    static void settings(DynamicPropertyRegistry registry) {
        Database.fresh(registry);
        registry.add("order.catalog.url", CATALOG::url);
        registry.add("shop.shutdown.drain-seconds", () -> 0);
    }

    @AfterAll
    static void close() {
        CATALOG.close();
    }

    @Autowired
    private TestRestTemplate http;

    @Autowired
    private Flyway flyway;

    @Autowired
    private Orders orders;

    @BeforeEach
    void empty() {
        flyway.clean();
        flyway.migrate();
        CATALOG.stock("TEA-1", 10);
    }

    private ResponseEntity<JsonNode> place(int quantity) {
        return http.postForEntity(
                "/api/orders", Map.of("customer", "1001", "sku", "TEA-1", "quantity", quantity), JsonNode.class);
    }

    @Test
    void anOrderIsKeptAsItWasPlaced() {
        ResponseEntity<JsonNode> placed = place(3);
        assertThat(placed.getStatusCode()).isEqualTo(HttpStatus.CREATED);

        JsonNode read = http.getForObject(placed.getHeaders().getLocation(), JsonNode.class);
        assertThat(read).isEqualTo(placed.getBody());
        assertThat(read.get("status").asText()).isEqualTo("CONFIRMED");
        assertThat(read.get("totalCents").asLong()).isEqualTo(2970);
        assertThat(CATALOG.stock("TEA-1")).isEqualTo(7);
    }

    @Test
    void cancellingGivesTheStockBackAndIsKept() {
        String location = place(3).getHeaders().getLocation().toString();
        assertThat(http.postForObject(location + "/cancel", null, JsonNode.class).get("status").asText()).isEqualTo("CANCELLED");
        assertThat(http.getForObject(location, JsonNode.class).get("status").asText()).isEqualTo("CANCELLED");
        assertThat(CATALOG.stock("TEA-1")).isEqualTo(10);
    }

    @Test
    void manyBuyersAtOnceNeverOrderMoreThanThereIs() {
        List<Integer> statuses = IntStream.range(0, 24).parallel().mapToObj(n -> place(1).getStatusCode().value()).toList();
        assertThat(statuses.stream().filter(status -> status == 201)).hasSize(10);
        assertThat(statuses.stream().filter(status -> status == 409)).hasSize(14);
        assertThat(CATALOG.stock("TEA-1")).isZero();
        assertThat(orders.list(1, 100)).extracting(Order::status).doesNotContain(Order.Status.PENDING).hasSize(24);
    }

    @Test
    void aCatalogThatDoesNotAnswerFailsTheOrderOnRecord() {
        CATALOG.fail("POST", 503, 2);
        assertThat(place(1).getStatusCode()).isEqualTo(HttpStatus.SERVICE_UNAVAILABLE);
        assertThat(orders.list(1, 10)).extracting(Order::status).containsExactly(Order.Status.FAILED);
        assertThat(CATALOG.stock("TEA-1")).isEqualTo(10);
    }

    @Test
    void theNewestOrdersComeFirstInPages() {
        String last = "";
        for (int n = 1; n <= 3; n++) {
            last = place(n).getBody().get("id").asText();
        }
        JsonNode page = http.getForObject("/api/orders?size=2", JsonNode.class);
        assertThat(page.get("total").asInt()).isEqualTo(3);
        assertThat(page.get("items")).hasSize(2);
        assertThat(page.get("items").get(0).get("id").asText()).isEqualTo(last);
        assertThat(http.getForObject("/api/orders?size=2&page=2", JsonNode.class).get("items")).hasSize(1);
    }

    @Test
    void ofTwoWhoMoveAnOrderOneIsToldSo() {
        UUID id = UUID.fromString(place(1).getBody().get("id").asText());
        long moved = IntStream.range(0, 4)
                .parallel()
                .filter(n -> orders.move(id, Order.Status.CONFIRMED, Order.Status.CANCELLED))
                .count();
        assertThat(moved).isEqualTo(1);
    }

    @Test
    void migrationsCanBeRepeatedAndASchemaThatIsAheadIsAccepted() {
        assertThat(flyway.migrate().migrationsExecuted).isZero();
        assertThat(flyway.info().current().getVersion().getVersion()).isEqualTo("002");
        Flyway older = Flyway.configure().configuration(flyway.getConfiguration()).target("001").load();
        assertThat(older.migrate().success).isTrue();
    }

    @Test
    void tellsItsHealthAndItsMetrics() {
        place(1);
        assertThat(http.getForEntity("/actuator/health/readiness", String.class).getStatusCode()).isEqualTo(HttpStatus.OK);
        assertThat(http.getForEntity("/actuator/health/liveness", String.class).getStatusCode()).isEqualTo(HttpStatus.OK);
        String metrics = http.getForObject("/actuator/prometheus", String.class);
        assertThat(metrics)
                .contains("shop_build_info{application=\"service-order\"")
                .contains("orders_placed_total{application=\"service-order\",result=\"confirmed\"}")
                .containsPattern("http_server_requests_seconds_bucket\\{application=\"service-order\"[^}]*uri=\"/api/orders\"")
                .doesNotContainPattern("http_server_requests[^\n]*uri=\"/actuator");
    }
}
