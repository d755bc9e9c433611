package com.heikeji.order.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Black box: what a buyer and an operator can see of a deployed order service, at BASE_URL. The product that is bought
 * is made at CATALOG_URL, the catalog of the same environment, and taken off sale again. GANTRY_ENVIRONMENT and
 * GANTRY_COMMIT say who must answer.
 */
class OrderAcceptance {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(15))
            .build();

    private final String orders = given("BASE_URL");
    private final String catalog = given("CATALOG_URL");
    private final String sku = "ACCEPTANCE-" + UUID.randomUUID().toString().substring(0, 8).toUpperCase();

    private record Answer(int status, JsonNode body) {}

    private static String given(String name) {
        String value = System.getenv(name);
        assertThat(value).as("The acceptance tests need " + name).isNotBlank();
        return value.replaceAll("/$", "");
    }

    private static Answer call(String method, String url, Object body) throws Exception {
        HttpRequest.BodyPublisher content = body == null
                ? HttpRequest.BodyPublishers.noBody()
                : HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body));
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
                .method(method, content)
                .header("Content-Type", "application/json")
                .timeout(Duration.ofSeconds(30))
                .build();
        HttpResponse<String> response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
        boolean json = response.headers().firstValue("content-type").orElse("").contains("json");
        return new Answer(response.statusCode(), json ? JSON.readTree(response.body()) : JSON.missingNode());
    }

    private Answer order(int quantity) throws Exception {
        return call("POST", orders + "/api/orders", Map.of("customer", "acceptance", "sku", sku, "quantity", quantity));
    }

    private int stock() throws Exception {
        return call("GET", catalog + "/api/products/" + sku, null).body().get("stock").asInt();
    }

    @BeforeEach
    void makeProduct() throws Exception {
        Map<String, Object> product = Map.of("sku", sku, "name", "验收测试", "priceCents", 1250, "stock", 5);
        assertThat(call("POST", catalog + "/api/products", product).status()).isEqualTo(201);
    }

    @AfterEach
    void takeProductOffSale() throws Exception {
        call("DELETE", catalog + "/api/products/" + sku, null);
    }

    @Test
    void theRightCommitAnswersForTheRightEnvironment() throws Exception {
        for (int n = 0; n < 10; n++) {
            JsonNode version = call("GET", orders + "/version", null).body();
            assertThat(version.get("service").asText()).isEqualTo("service-order");
            assertThat(version.get("commit").asText()).isEqualTo(given("GANTRY_COMMIT"));
            assertThat(version.get("environment").asText()).isEqualTo(given("GANTRY_ENVIRONMENT"));
            assertThat(version.get("banner").asText()).contains("黑科易购");
        }
        assertThat(call("GET", orders + "/actuator/health/readiness", null).status()).isEqualTo(200);
    }

    @Test
    void aBuyerOrdersAndCancelsAndTheCatalogKnows() throws Exception {
        Answer placed = order(2);
        assertThat(placed.status()).isEqualTo(201);
        assertThat(placed.body().get("status").asText()).isEqualTo("CONFIRMED");
        assertThat(placed.body().get("totalCents").asInt()).isEqualTo(2500);
        assertThat(stock()).isEqualTo(3);

        String url = orders + "/api/orders/" + placed.body().get("id").asText();
        assertThat(call("GET", url, null).body()).isEqualTo(placed.body());
        assertThat(call("POST", url + "/cancel", null).body().get("status").asText()).isEqualTo("CANCELLED");
        assertThat(stock()).isEqualTo(5);
    }

    @Test
    void nobodyBuysMoreThanThereIs() throws Exception {
        Answer first = order(4);
        assertThat(first.status()).isEqualTo(201);
        Answer second = order(2);
        assertThat(second.status()).isEqualTo(409);
        assertThat(second.body().at("/error/code").asText()).isEqualTo("OUT_OF_STOCK");
        assertThat(stock()).isEqualTo(1);
        call("POST", orders + "/api/orders/" + first.body().get("id").asText() + "/cancel", null);
    }

    @Test
    void nonsenseGetsAClearAnswer() throws Exception {
        assertThat(order(0).status()).isEqualTo(400);
        Answer unknown = call("POST", orders + "/api/orders", Map.of("customer", "acceptance", "sku", "NO-SUCH-1", "quantity", 1));
        assertThat(unknown.status()).isEqualTo(422);
        assertThat(call("GET", orders + "/api/orders/" + UUID.randomUUID(), null).status()).isEqualTo(404);
        assertThat(call("GET", orders + "/nowhere", null).status()).isEqualTo(404);
    }
}
