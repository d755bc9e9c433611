package com.heikeji.order.catalog;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;

/** A product as the catalog shows it; what else it shows is none of our business. */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Product(String sku, String name, long priceCents, String currency, int stock) {}
