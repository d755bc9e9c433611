package com.heikeji.order.catalog;

import com.heikeji.order.OrderProperties;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.stereotype.Component;
import org.springframework.web.client.HttpClientErrorException;
import org.springframework.web.client.HttpServerErrorException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestClientException;

/**
 * The catalog over HTTP. Every request may be repeated without harm (reservations go by reference), so each is tried a
 * second time when the first found no answer: an instance that is being replaced costs no order.
 */
@Component
class HttpCatalog implements Catalog {

    private static final int ATTEMPTS = 2;

    private final RestClient http;

    HttpCatalog(RestClient.Builder builder, OrderProperties properties) {
        OrderProperties.Catalog settings = properties.catalog();
        HttpClient client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofMillis(settings.connectTimeoutMs()))
                .build();
        JdkClientHttpRequestFactory requests = new JdkClientHttpRequestFactory(client);
        requests.setReadTimeout(Duration.ofMillis(settings.readTimeoutMs()));
        this.http = builder.baseUrl(settings.url().toString()).requestFactory(requests).build();
    }

    @Override
    public Optional<Product> product(String sku) {
        return ask(() -> {
            try {
                return Optional.ofNullable(
                        http.get().uri("/api/products/{sku}", sku).retrieve().body(Product.class));
            } catch (HttpClientErrorException.NotFound unknown) {
                return Optional.empty();
            }
        });
    }

    @Override
    public void reserve(String sku, UUID reference, int quantity) {
        ask(() -> {
            try {
                return http.post()
                        .uri("/api/products/{sku}/reservations", sku)
                        .contentType(MediaType.APPLICATION_JSON)
                        .header("X-Request-Id", reference.toString())
                        .body(Map.of("reference", reference, "quantity", quantity))
                        .retrieve()
                        .toBodilessEntity();
            } catch (HttpClientErrorException.Conflict | HttpClientErrorException.NotFound refused) {
                throw new OutOfStock();
            }
        });
    }

    @Override
    public void release(UUID reference) {
        ask(() -> {
            try {
                return http.delete()
                        .uri("/api/reservations/{reference}", reference)
                        .header("X-Request-Id", reference.toString())
                        .retrieve()
                        .toBodilessEntity();
            } catch (HttpClientErrorException.NotFound nothing) {
                return HttpStatus.NOT_FOUND;
            }
        });
    }

    private static <T> T ask(Supplier<T> request) {
        for (int attempt = 1; ; attempt++) {
            try {
                return request.get();
            } catch (RestClientException error) {
                boolean answered = error instanceof HttpClientErrorException || error instanceof HttpServerErrorException.InternalServerError;
                if (answered || attempt == ATTEMPTS) {
                    throw new CatalogUnavailable("The catalog gave no usable answer: " + error.getMessage(), error);
                }
            }
        }
    }
}
