import io.trino.server.Server;

/** Starts the engine: Maven Central holds no trino-server-main of this version, which is these lines. */
public class Main {
    public static void main(String[] args) {
        new Server().start(args[0]);
    }
}
