package com.heikeji.order;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.heikeji.order.Order.Status;
import com.heikeji.order.catalog.Catalog;
import com.heikeji.order.catalog.CatalogUnavailable;
import com.heikeji.order.catalog.OutOfStock;
import com.heikeji.order.catalog.Product;
import com.heikeji.order.support.MemoryOrders;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.URI;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OrderServiceTest {

    private final MemoryOrders orders = new MemoryOrders();
    private final StockedCatalog catalog = new StockedCatalog();
    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private final Instant now = Instant.parse("2026-01-02T03:04:05.678Z");
    private final OrderService service = new OrderService(
            orders,
            catalog,
            new OrderProperties(20, 100, 10, new OrderProperties.Catalog(URI.create("http://catalog"), 1, 1)),
            metrics,
            Clock.fixed(now, ZoneOffset.UTC));

    @Test
    void aConfirmedOrderHasThePriceOfNowAndTakesStock() {
        Order order = service.place(new OrderService.Request("1001", "TEA-1", 2));

        assertThat(order.status()).isEqualTo(Status.CONFIRMED);
        assertThat(order.getTotalCents()).isEqualTo(1980);
        assertThat(order.createdAt()).isEqualTo(now);
        assertThat(orders.find(order.id())).contains(order);
        assertThat(catalog.stock).isEqualTo(1);
        assertThat(placed("confirmed")).isEqualTo(1);
    }

    @Test
    void tooLittleStockRejectsTheOrderAndKeepsItOnRecord() {
        assertProblem(new OrderService.Request("1001", "TEA-1", 4), "OUT_OF_STOCK");

        assertThat(orders.list(1, 10)).extracting(Order::status).containsExactly(Status.REJECTED);
        assertThat(placed("rejected")).isEqualTo(1);
    }

    @Test
    void anUnknownProductIsNoOrder() {
        assertProblem(new OrderService.Request("1001", "TEA-9", 1), "UNKNOWN_PRODUCT");
        assertThat(orders.count()).isZero();
    }

    @Test
    void aCatalogThatIsAwayBeforeTheOrderLeavesNothing() {
        catalog.away = true;
        assertProblem(new OrderService.Request("1001", "TEA-1", 1), "CATALOG_UNAVAILABLE");
        assertThat(orders.count()).isZero();
    }

    @Test
    void aReservationWithoutAnAnswerFailsTheOrderAndIsGivenBack() {
        catalog.answerLost = true;
        assertProblem(new OrderService.Request("1001", "TEA-1", 1), "CATALOG_UNAVAILABLE");

        assertThat(orders.list(1, 10)).extracting(Order::status).containsExactly(Status.FAILED);
        assertThat(catalog.stock).isEqualTo(3);
        assertThat(placed("failed")).isEqualTo(1);
    }

    @Test
    void aReservationThatCannotBeGivenBackStillFailsTheOrder() {
        catalog.answerLost = true;
        catalog.releaseAway = true;
        assertProblem(new OrderService.Request("1001", "TEA-1", 1), "CATALOG_UNAVAILABLE");
        assertThat(orders.list(1, 10)).extracting(Order::status).containsExactly(Status.FAILED);
    }

    @Test
    void cancellingGivesStockBackOnce() {
        Order order = service.place(new OrderService.Request("1001", "TEA-1", 2));

        assertThat(service.cancel(order.id()).status()).isEqualTo(Status.CANCELLED);
        assertThat(service.cancel(order.id()).status()).isEqualTo(Status.CANCELLED);
        assertThat(catalog.stock).isEqualTo(3);
    }

    @Test
    void anOrderStaysConfirmedWhileItsStockCannotBeGivenBack() {
        Order order = service.place(new OrderService.Request("1001", "TEA-1", 2));
        catalog.releaseAway = true;

        assertThatThrownBy(() -> service.cancel(order.id())).isInstanceOf(Problem.class);
        assertThat(service.get(order.id()).status()).isEqualTo(Status.CONFIRMED);
    }

    @Test
    void whatWasNeverConfirmedOrIsUnknownCannotBeCancelled() {
        assertProblem(new OrderService.Request("1001", "TEA-1", 4), "OUT_OF_STOCK");
        UUID rejected = orders.list(1, 1).get(0).id();

        assertThatThrownBy(() -> service.cancel(rejected)).extracting("code").isEqualTo("NOT_CONFIRMED");
        assertThatThrownBy(() -> service.cancel(UUID.randomUUID())).extracting("code").isEqualTo("NOT_FOUND");
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", textBlock = """
            -,     TEA-1, 1
            ' ',   TEA-1, 1
            1001,  -,     1
            1001,  tea-1, 1
            1001,  TEA-1, -
            1001,  TEA-1, 0
            1001,  TEA-1, 11
            """)
    void aRequestThatCannotBeIsRefused(String customer, String sku, Integer quantity) {
        assertProblem(new OrderService.Request(customer, sku, quantity), "INVALID");
        assertThat(orders.count()).isZero();
    }

    private void assertProblem(OrderService.Request request, String code) {
        assertThatThrownBy(() -> service.place(request)).isInstanceOf(Problem.class).extracting("code").isEqualTo(code);
    }

    private double placed(String result) {
        return metrics.counter("orders.placed", "result", result).count();
    }

    /** A catalog with three pieces of TEA-1 for 9.90. */
    private static final class StockedCatalog implements Catalog {

        private int stock = 3;
        private boolean away;
        private boolean answerLost;
        private boolean releaseAway;
        private final Map<UUID, Integer> reserved = new HashMap<>();

        @Override
        public Optional<Product> product(String sku) {
            if (away) {
                throw new CatalogUnavailable("away", null);
            }
            return sku.equals("TEA-1") ? Optional.of(new Product(sku, "茶", 990, "CNY", stock)) : Optional.empty();
        }

        @Override
        public void reserve(String sku, UUID reference, int quantity) {
            if (quantity > stock) {
                throw new OutOfStock();
            }
            stock -= quantity;
            reserved.put(reference, quantity);
            if (answerLost) {
                throw new CatalogUnavailable("lost", null);
            }
        }

        @Override
        public void release(UUID reference) {
            if (releaseAway) {
                throw new CatalogUnavailable("away", null);
            }
            Integer quantity = reserved.remove(reference);
            stock += quantity == null ? 0 : quantity;
        }
    }
}
