package com.heikeji.order.catalog;

/** The catalog gave no usable answer: not reachable, too slow, or an error of its own. */
public class CatalogUnavailable extends RuntimeException {

    public CatalogUnavailable(String message, Throwable cause) {
        super(message, cause);
    }
}
