package com.heikeji.order.catalog;

/** The catalog refused: too little stock, or the product went off sale meanwhile. */
public class OutOfStock extends RuntimeException {}
