package com.heikeji.order.catalog;

import java.util.Optional;
import java.util.UUID;

/** What the order service wants of the catalog. Everything may throw {@link CatalogUnavailable}. */
public interface Catalog {

    Optional<Product> product(String sku);

    /** Takes stock, once per reference. Throws {@link OutOfStock} when there is too little. */
    void reserve(String sku, UUID reference, int quantity);

    /** Gives back what the reference took, if it took anything. */
    void release(UUID reference);
}
