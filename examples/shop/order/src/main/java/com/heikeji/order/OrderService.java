package com.heikeji.order;

import com.heikeji.order.catalog.Catalog;
import com.heikeji.order.catalog.CatalogUnavailable;
import com.heikeji.order.catalog.OutOfStock;
import com.heikeji.order.catalog.Product;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Service;

/**
 * Places and cancels orders. An order is written down before the catalog is asked for its stock, under the order's id as
 * reference: whatever happens in between, it is known what may have been reserved.
 */
@Service
public class OrderService {

    private static final Logger log = LoggerFactory.getLogger(OrderService.class);
    private static final Pattern SKU = Pattern.compile("[A-Z0-9][A-Z0-9-]{2,39}");

    private final Orders orders;
    private final Catalog catalog;
    private final OrderProperties properties;
    private final MeterRegistry metrics;
    private final Clock clock;

    public OrderService(Orders orders, Catalog catalog, OrderProperties properties, MeterRegistry metrics, Clock clock) {
        this.orders = orders;
        this.catalog = catalog;
        this.properties = properties;
        this.metrics = metrics;
        this.clock = clock;
        // From 0 on: of a counter that is born with its first failure, no query sees that failure.
        List.of(Order.Status.CONFIRMED, Order.Status.REJECTED, Order.Status.FAILED).forEach(this::placed);
    }

    /** What a buyer asks for. */
    public record Request(String customer, String sku, Integer quantity) {}

    /** Places an order and answers it confirmed; otherwise throws a {@link Problem} that says why not. */
    public Order place(Request request) {
        check(request);
        Product product = product(request.sku());
        Order order = new Order(
                UUID.randomUUID(),
                request.customer(),
                request.sku(),
                request.quantity(),
                product.priceCents(),
                product.currency(),
                Order.Status.PENDING,
                Instant.now(clock).truncatedTo(ChronoUnit.MILLIS));
        orders.insert(order);
        try {
            catalog.reserve(order.sku(), order.id(), order.quantity());
        } catch (OutOfStock refused) {
            end(order, Order.Status.REJECTED);
            throw new Problem(
                    HttpStatus.CONFLICT, "OUT_OF_STOCK", "There are fewer than " + order.quantity() + " of " + order.sku() + " in stock");
        } catch (CatalogUnavailable silent) {
            end(order, Order.Status.FAILED);
            log.warn("Order {} failed: the catalog gave no answer", order.id(), silent);
            giveBack(order);
            throw unavailable();
        }
        return end(order, Order.Status.CONFIRMED);
    }

    /** Cancels a confirmed order and gives its stock back. Cancelling again answers the same. */
    public Order cancel(UUID id) {
        Order order = get(id);
        if (order.status() == Order.Status.CANCELLED) {
            return order;
        }
        if (order.status() != Order.Status.CONFIRMED) {
            throw new Problem(HttpStatus.CONFLICT, "NOT_CONFIRMED", "Order " + id + " is " + order.status());
        }
        try {
            catalog.release(id);
        } catch (CatalogUnavailable silent) {
            throw unavailable();
        }
        orders.move(id, Order.Status.CONFIRMED, Order.Status.CANCELLED);
        log.info("Order {} cancelled", id);
        return order.with(Order.Status.CANCELLED);
    }

    public Order get(UUID id) {
        return orders.find(id)
                .orElseThrow(() -> new Problem(HttpStatus.NOT_FOUND, "NOT_FOUND", "There is no order " + id));
    }

    private void check(Request request) {
        if (request.customer() == null || request.customer().isBlank() || request.customer().length() > 100) {
            throw Problem.invalid("customer must be text of 1 to 100 characters");
        }
        if (request.sku() == null || !SKU.matcher(request.sku()).matches()) {
            throw Problem.invalid("sku must be text of 3 to 40 of A-Z, 0-9 and -");
        }
        if (request.quantity() == null || request.quantity() < 1 || request.quantity() > properties.maxQuantity()) {
            throw Problem.invalid("quantity must be a whole number from 1 to " + properties.maxQuantity());
        }
    }

    private Product product(String sku) {
        try {
            return catalog.product(sku)
                    .orElseThrow(() -> new Problem(HttpStatus.UNPROCESSABLE_ENTITY, "UNKNOWN_PRODUCT", "There is no product " + sku));
        } catch (CatalogUnavailable silent) {
            log.warn("The catalog gave no answer about {}", sku, silent);
            throw unavailable();
        }
    }

    private Order end(Order order, Order.Status status) {
        orders.move(order.id(), Order.Status.PENDING, status);
        placed(status).increment();
        log.info("Order {} of {} {} is {}", order.id(), order.quantity(), order.sku(), status);
        return order.with(status);
    }

    private Counter placed(Order.Status result) {
        return metrics.counter("orders.placed", "result", result.name().toLowerCase());
    }

    /** The reservation may have taken place although its answer never came. */
    private void giveBack(Order order) {
        try {
            catalog.release(order.id());
        } catch (CatalogUnavailable still) {
            log.error("Order {} may still hold {} of {} in the catalog", order.id(), order.quantity(), order.sku(), still);
        }
    }

    private static Problem unavailable() {
        return new Problem(HttpStatus.SERVICE_UNAVAILABLE, "CATALOG_UNAVAILABLE", "The catalog gives no answer; try again later");
    }
}
