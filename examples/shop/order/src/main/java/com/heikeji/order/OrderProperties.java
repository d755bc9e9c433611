package com.heikeji.order;

import java.net.URI;
import org.springframework.boot.context.properties.ConfigurationProperties;

/** The order service's own configuration. Times in milliseconds. */
@ConfigurationProperties("order")
public record OrderProperties(int pageSize, int maxPageSize, int maxQuantity, Catalog catalog) {

    public record Catalog(URI url, int connectTimeoutMs, int readTimeoutMs) {}

    public OrderProperties {
        if (pageSize < 1 || pageSize > maxPageSize) {
            throw new IllegalArgumentException("order.page-size must be from 1 to order.max-page-size (" + maxPageSize + ")");
        }
        if (maxQuantity < 1) {
            throw new IllegalArgumentException("order.max-quantity must be at least 1");
        }
    }
}
